# Every figure is drawn from one tidy table, which is made of these result tables and stays beside it.
FIT_TABLES = {name: f"<results>/tables/{name}.tsv" for name in ("fits", "traces", "nominal")}
FIGURE_SOURCES = {
    **{figure: FIT_TABLES for figure in FIT_FIGURES},
    "large_scale_train": {"predictions": "<results>/tables/predictions.tsv"},
    "large_scale_test": {"predictions": "<results>/tables/predictions.tsv"},
    "sparsity_against_accuracy": {
        "networks": "<results>/tables/networks.tsv",
        "published": str(PUBLISHED_NUMBERS / "networks.tsv"),
    },
    "pruning_path": {"path": "<results>/tables/path.tsv", "networks": "<results>/tables/networks.tsv"},
    "prior_recovery": {"networks": "<results>/tables/networks.tsv"},
    "prediction_error": {"networks": "<results>/tables/networks.tsv"},
    "effect_matrices": {"effects": "<results>/tables/effects.tsv"},
    "coregulation": {"coregulation": "<results>/tables/coregulation.tsv"},
    "tuning": {"tuning": "<results>/tables/tuning.tsv"},
    "pathways": {"pathways": "<results>/tables/pathways.tsv"},
}


rule collect_table:
    input:
        lambda w: PARTS[w.table],
    output:
        "<results>/tables/{table}.tsv",
    log:
        "<logs>/tables/{table}.log",
    wildcard_constraints:
        table=names(PARTS),
    conda:
        conda("analysis")
    params:
        command=command("analysis", "collect"),
        columns=lambda w: " ".join(COLUMNS[w.table]),
    shell:
        "({params.command} --output {output} --columns {params.columns} -- {input}) 2>&1 | tee {log}"


rule tabulate_figure:
    input:
        unpack(lambda w: FIGURE_SOURCES[w.figure]),
    output:
        "<results>/figures/{figure}.tsv",
    log:
        "<logs>/figures/{figure}.table.log",
    wildcard_constraints:
        figure=names(FIGURE_SOURCES),
    conda:
        conda("analysis")
    params:
        command=command("analysis", "figure_table"),
        options=lambda w, input: flags(FIGURE_SOURCES[w.figure], input),
        meaning=lambda w: fit_options() if w.figure in FIT_FIGURES else "",
    shell:
        "({params.command} {wildcards.figure} {params.options} {params.meaning} --output {output}) 2>&1 | tee {log}"


for figure, (category, title) in FIGURES.items():

    rule:
        name:
            f"draw_{figure}"
        input:
            f"<results>/figures/{figure}.tsv",
        output:
            report(
                f"<results>/figures/{figure}.svg",
                caption=f"../report/{figure}.rst",
                category=category,
                labels={"figure": title},
            ),
            f"<results>/figures/{figure}.pdf",
            f"<results>/figures/{figure}.png",
        log:
            f"<logs>/figures/{figure}.log",
        conda:
            conda("analysis")
        params:
            command=command("analysis", "draw_figure"),
            figure=figure,
        shell:
            "({params.command} {params.figure} --table {input} --output {output}) 2>&1 | tee {log}"
