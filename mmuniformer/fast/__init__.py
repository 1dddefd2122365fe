"""The numbers of ``models``, sooner; nobody needs it to know the model."""
