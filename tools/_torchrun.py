"""torchrun without its traceback when the tools refuse bad input."""

import sys

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main

BAD_INPUT = 2

if __name__ == '__main__':
    try:
        main()
    except ChildFailedError as error:
        if error.get_first_failure()[1].exitcode != BAD_INPUT:
            raise
        sys.exit(BAD_INPUT)
