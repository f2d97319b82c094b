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
        columns=lambda w: " ".join(tables.TABLES[w.table].names()),  # one of an earlier version is made again
    shell:
        "({params.command} {wildcards.table} --output {output:q} --parts {input:q}) 2>&1 | tee {log:q}"


# Every figure is drawn from one tidy table, which is kept in the same folder.
for figure, declared in FIGURES.items():

    rule:
        name:
            f"draw_{figure}"
        input:
            unpack(lambda w, declared=declared: {name: source(name) for name in declared.sources}),
        output:
            table=f"<results>/figures/{figure}.tsv",
            svg=report(
                f"<results>/figures/{figure}.svg",
                caption=caption(figure, declared.caption),
                category=declared.section,
                labels={"figure": declared.title},
            ),
            pdf=f"<results>/figures/{figure}.pdf",
            png=f"<results>/figures/{figure}.png",
        log:
            f"<logs>/figures/{figure}.log",
        localrule: True
        conda:
            conda("analysis")
        params:
            command=command("analysis", "draw_figure"),
            figure=figure,
            options=lambda w, input, declared=declared: flags(declared.sources, input),
            fit_settings=fit_options() if declared.sources == FIT_SOURCES else "",
        shell:
            "({params.command} {params.figure} {params.options} {params.fit_settings} --table {output.table:q}"
            " --output {output.svg:q} {output.pdf:q} {output.png:q}) 2>&1 | tee {log:q}"
