# What every task shares. A host's own script needs `mmuniformer.compat` before
# it imports the host: the start-up file does that, which `make setup` and the
# wheel put beside the package. Without it (a clone on PYTHONPATH),
# `custom_imports` comes in time for what is imported after the config is read.
# The other one applies short keys, see docs/experiments.md.
custom_imports = dict(
    imports=['mmuniformer.compat', 'mmuniformer.settings.on_load']
)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # Ours are here, too: `custom_hooks` is yours.
    load_report=dict(type='mmuniformer.LoadReportHook'),
    same_buffers=dict(type='mmuniformer.SameBuffersHook'),
    short_keys=dict(type='mmuniformer.ShortKeysHook'),
    merged_groups=dict(type='mmuniformer.MergedGroupsHook'),
    finite=dict(type='mmuniformer.FiniteHook', policy='skip', limit=100),
    stop=dict(type='mmuniformer.StopHook'),
    waiting=dict(type='mmuniformer.WaitingHook'),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=1800),  # seconds
)
randomness = dict(seed=0)
# A training takes another sample for one that cannot be read; a test stops.
bad_data = dict(policy='replace', limit=100)
log_level = 'INFO'
load_from = None
resume = False
