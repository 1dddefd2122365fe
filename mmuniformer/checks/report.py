"""A report of all checks in words and as a picture."""

from typing import Any

from .pictures import brief


def lines(report: dict[str, Any]) -> list[str]:
    """The report in lines: what each data set holds, then what is wrong."""
    done = []
    for row in report['data']:
        parts = [f'{row["split"]}: {row["type"]}']
        samples = row['samples']
        parts.append(f'{"?" if samples is None else samples} samples')
        counts = sorted(row['counts'].items(), key=lambda pair: -pair[1])
        if counts:
            names = [f'{name} {number}' for name, number in counts]
            parts.append(f'{len(counts)} classes ({brief(names, 6)})')
        for key, unit in (('clip_lengths', 'frames'), ('box_sizes', 'px')):
            values = row[key]
            if values:
                middle = values[len(values) // 2]
                parts.append(
                    f'{key.replace("_", " ")} {values[0]:g} to '
                    f'{values[-1]:g} {unit}, median {middle:g}'
                )
        done.append(', '.join(parts))
    for level in ('error', 'warning'):
        for one in report['findings']:
            if one['level'] != level:
                continue
            for text in one['examples']:
                place = f'{one["where"]}: ' if one['where'] else ''
                done.append(' '.join(f'{level}: {place}{text}'.split()))
            more = one['count'] - len(one['examples'])
            if more > 0:
                done.append(f'{level}: {more} more like it ({one["kind"]})')
    errors = sum(f['level'] == 'error' for f in report['findings'])
    warnings = len(report['findings']) - errors
    done.append(
        f'{report["config"]}: {report["files"]} files in '
        f'{report["seconds"]} s; {errors} kinds of errors, {warnings} of '
        f'warnings'
    )
    return done


def plot(report: dict[str, Any], path: str) -> None:
    """Class counts, box sizes and clip lengths of each data set.

    Args:
        report: Of :func:`mmuniformer.checks.every_sample.check_all`.
        path: Where to write the picture.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    kinds = {
        'counts': 'samples, objects or pixels of a class',
        'box_sizes': 'side of a box (px)',
        'clip_lengths': 'frames of a clip',
    }
    kinds = {
        k: v for k, v in kinds.items() if any(r[k] for r in report['data'])
    }
    rows = report['data']
    figure, axes = pyplot.subplots(
        max(len(rows), 1),
        max(len(kinds), 1),
        figsize=(5 * max(len(kinds), 1), 3 * max(len(rows), 1)),
        squeeze=False,
        layout='constrained',
    )
    for row, places in zip(rows, axes):
        for (kind, label), place in zip(kinds.items(), places):
            values = row[kind]
            place.set_title(f'{row["split"]}: {label}', fontsize=9)
            if kind == 'counts':
                pairs = sorted(values.items(), key=lambda pair: -pair[1])[:40]
                place.bar([name[:20] for name, _ in pairs],
                          [number for _, number in pairs])  # fmt: skip
                place.tick_params('x', labelrotation=90, labelsize=6)
            elif values:
                place.hist(values, bins=40)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
