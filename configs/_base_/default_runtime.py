# What every task shares. The shims of `mmuniformer.compat` come in through
# `custom_imports` when a host's own script runs one of these configs.
custom_imports = dict(imports=['mmuniformer.compat'])

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # Ours are here, too: `custom_hooks` is yours.
    load_report=dict(type='mmuniformer.LoadReportHook'),
    same_buffers=dict(type='mmuniformer.SameBuffersHook'),
    merged_groups=dict(type='mmuniformer.MergedGroupsHook'),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
randomness = dict(seed=0)
log_level = 'INFO'
load_from = None
resume = False
