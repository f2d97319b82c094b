# Figures: result tables, the tidy table of each figure, and the figure.


rule collect_table:
    input:
        lambda w: PARTS[w.table],
    output:
        "<results>/tables/{table}.tsv",
    log:
        "<logs>/tables/{table}.log",
    wildcard_constraints:
        table=names(PARTS),
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "collect"),
    shell:
        "({params.command} {wildcards.table} --output {output:q} --parts {input:q}) 2>&1 | tee {log:q}"


rule tabulate_figure:
    input:
        unpack(lambda w: {name: source(name) for name in FIGURES[w.figure].sources}),
    output:
        "<results>/figures/{figure}.tsv",
    log:
        "<logs>/figures/{figure}.table.log",
    wildcard_constraints:
        figure=names(FIGURES),
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "figure_table"),
        options=lambda w, input: flags(FIGURES[w.figure].sources, input),
        meaning=lambda w: fit_options() if FIGURES[w.figure].sources == FIT_SOURCES else "",
    shell:
        "({params.command} {wildcards.figure} {params.options} {params.meaning} --output {output:q}) 2>&1 | tee {log:q}"


# Every figure is drawn from one tidy table, which is kept in the same folder.
for figure, declared in FIGURES.items():

    rule:
        name:
            f"draw_{figure}"
        input:
            f"<results>/figures/{figure}.tsv",
        output:
            report(
                f"<results>/figures/{figure}.svg",
                caption=caption(figure, declared.caption),
                category=declared.section,
                labels={"figure": declared.title},
            ),
            f"<results>/figures/{figure}.pdf",
            f"<results>/figures/{figure}.png",
        log:
            f"<logs>/figures/{figure}.log",
        localrule: True
        conda:
            conda("analysis")
        params:
            command=command("analysis", "draw_figure"),
            figure=figure,
        shell:
            "({params.command} {params.figure} --table {input:q} --output {output:q}) 2>&1 | tee {log:q}"
