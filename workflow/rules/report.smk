# Report: HTML tables, scores of fits, findings, provenance, and the page.


rule show_tables:
    input:
        [f"<results>/tables/{table}.tsv" for table in TABLES],
    output:
        [
            report(
                f"<results>/report/{table}.html",
                caption=caption(f"table_{table}", tables.TABLES[table].meaning),
                category="4 Tables",
                labels={"table": title},
            )
            for table, title in TABLES.items()
        ],
    log:
        "<logs>/report/tables.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "show_tables"),
    shell:
        "({params.command} {input:q} --output {output:q}) 2>&1 | tee {log:q}"


rule show_paper_figures:
    input:
        str(PUBLISHED_NUMBERS / "figures.tsv"),
    output:
        report(
            "<results>/report/paper_figures.html",
            caption="../report/paper_figures.rst",
            category="5 The papers",
            labels={"table": FIGURES_OF_PAPERS},
        ),
    log:
        "<logs>/report/paper_figures.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "show_paper_figures"),
        made=" ".join(FIGURES),
        title=FIGURES_OF_PAPERS,
    shell:
        "({params.command} {input:q} --made {params.made} --title {params.title:q} --output {output:q})"
        " 2>&1 | tee {log:q}"


rule score_fits:
    input:
        fits="<results>/tables/fits.tsv",
        traces="<results>/tables/traces.tsv",
        nominal="<results>/tables/nominal.tsv",
        claims=str(PUBLISHED_NUMBERS / "mechanistic_claims.tsv"),
    output:
        scores="<results>/tables/scores.tsv",
        pairs="<results>/tables/pairs.tsv",
        claims="<results>/tables/claims.tsv",
    log:
        "<logs>/tables/scores.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "score_fits"),
        fit_settings=fit_options(),
    shell:
        "({params.command} --fits {input.fits:q} --traces {input.traces:q} --nominal {input.nominal:q}"
        " --claims {input.claims:q}"
        " {params.fit_settings} --scores {output.scores:q} --pairs {output.pairs:q} --with-ours {output.claims:q})"
        " 2>&1 | tee {log:q}"


rule fill_paper_tables:
    input:
        networks="<results>/tables/networks.tsv",
        layout=str(PUBLISHED_NUMBERS / "paper_tables.tsv"),
        methods=str(PUBLISHED_NUMBERS / "methods.tsv"),
        published=str(PUBLISHED_NUMBERS / "networks.tsv"),
    output:
        "<results>/tables/paper_tables.tsv",
    log:
        "<logs>/tables/paper_tables.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "paper_tables"),
    shell:
        "({params.command} --networks {input.networks:q} --layout {input.layout:q} --methods {input.methods:q}"
        " --published {input.published:q} --output {output:q}) 2>&1 | tee {log:q}"


for number, title in PAPER_TABLES.items():

    rule:
        name:
            f"show_paper_table_{number}"
        input:
            "<results>/tables/paper_tables.tsv",
        output:
            report(
                f"<results>/report/paper_table_{number}.html",
                caption="../report/paper_table.rst",
                category="5 The papers",
                labels={"table": title},
            ),
        log:
            f"<logs>/report/paper_table_{number}.log",
        localrule: True
        conda:
            conda("analysis")
        params:
            command=command("analysis", "show_paper_table"),
            number=number,
            title=title,
        shell:
            "({params.command} {input:q} --number {params.number} --title {params.title:q} --output {output:q})"
            " 2>&1 | tee {log:q}"


rule state_findings:
    input:
        nominal="<results>/tables/nominal.tsv",
        fits="<results>/tables/fits.tsv",
        traces="<results>/tables/traces.tsv",
        pairs="<results>/tables/pairs.tsv",
        reactions="<results>/tables/reactions.tsv",
        estimates="<results>/tables/estimates.tsv",
        networks="<results>/tables/networks.tsv",
        consensus="<results>/tables/consensus.tsv",
        regulators="<results>/tables/regulators.tsv",
        pathways="<results>/tables/pathways.tsv",
        paper_tables="<results>/tables/paper_tables.tsv",
        published=str(PUBLISHED_NUMBERS / "networks.tsv"),
    output:
        table="<results>/tables/findings.tsv",
        page=report(
            "<results>/report/findings.html",
            caption="../report/findings.rst",
            category="1 Findings",
            labels={"page": "Findings"},
        ),
    log:
        "<logs>/report/findings.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "findings"),
        fit_settings=fit_options(),
    shell:
        "({params.command} --nominal {input.nominal:q} --fits {input.fits:q} --traces {input.traces:q}"
        " --pairs {input.pairs:q} --reactions {input.reactions:q} --estimates {input.estimates:q}"
        " --networks {input.networks:q} --consensus {input.consensus:q} --regulators {input.regulators:q}"
        " --pathways {input.pathways:q} --paper-tables {input.paper_tables:q}"
        " --published {input.published:q} {params.fit_settings}"
        " --output {output.table:q} --page {output.page:q}) 2>&1 | tee {log:q}"


rule answer:
    input:
        nominal="<results>/tables/nominal.tsv",
        fits="<results>/tables/fits.tsv",
        traces="<results>/tables/traces.tsv",
        pairs="<results>/tables/pairs.tsv",
        estimates="<results>/tables/estimates.tsv",
        networks="<results>/tables/networks.tsv",
    output:
        "<results>/answers.json",
    log:
        "<logs>/report/answers.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "answers"),
        fit_settings=fit_options(),
    shell:
        "({params.command} --nominal {input.nominal:q} --fits {input.fits:q} --traces {input.traces:q}"
        " --pairs {input.pairs:q} --estimates {input.estimates:q} --networks {input.networks:q} {params.fit_settings}"
        " --output {output:q}) 2>&1 | tee {log:q}"


# What the environments held when the results were made, whatever their pins ask for.
for environment_name in ENVIRONMENTS:

    rule:
        name:
            f"list_packages_{environment_name}"
        input:
            fits="<results>/tables/fits.tsv",
            networks="<results>/tables/networks.tsv",
        output:
            f"<results>/environments/{environment_name}.json",
        log:
            f"<logs>/environments/{environment_name}.log",
        localrule: True
        conda:
            conda(environment_name)
        params:
            command=command(environment_name, "list_packages"),
        shell:
            "({params.command} --output {output:q}) 2>&1 | tee {log:q}"


rule record_provenance:
    input:
        fits="<results>/tables/fits.tsv",
        networks="<results>/tables/networks.tsv",
        solvers=expand("<results>/solvers/{problem}.json", problem=PETAB),
        pins=[str(TOP / "envs" / f"{name}.txt") for name in ENVIRONMENTS],
        found=[f"<results>/environments/{name}.json" for name in ENVIRONMENTS],
    output:
        record="<results>/provenance.json",
        page=report(
            "<results>/report/provenance.html",
            caption="../report/provenance.rst",
            category="6 Provenance",
            labels={"page": "Provenance"},
        ),
    log:
        "<logs>/report/provenance.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "provenance"),
        settings=settings(PLAN.config),
        workflow=lambda w: settings(list_packages.list_packages()),
    shell:
        "({params.command} --settings {params.settings:q} --pins {input.pins:q} --found {input.found:q}"
        " --workflow {params.workflow:q} --fits {input.fits:q} --networks {input.networks:q}"
        " --solvers {input.solvers:q} --output {output.record:q} --page {output.page:q}) 2>&1 | tee {log:q}"


rule write_report:
    input:
        figures=expand("<results>/figures/{figure}.svg", figure=FIGURES),
        tables=expand("<results>/report/{table}.html", table=TABLES),
        paper_tables=expand("<results>/report/paper_table_{number}.html", number=PAPER_TABLES),
        paper_figures="<results>/report/paper_figures.html",
        findings="<results>/report/findings.html",
        answers="<results>/answers.json",
        record="<results>/provenance.json",
        provenance="<results>/report/provenance.html",
        introduction=str(WORKFLOW / "report" / "workflow.rst"),
        captions=sorted(str(path) for path in (WORKFLOW / "report").glob("*.rst")),
    output:
        "<results>/report.html",
    log:
        "<logs>/report/report.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "report"),
        sections=lambda w, output: settings(report_parts(os.path.dirname(output[0]))),
    shell:
        "({params.command} --title Kinetrain --answers {input.answers:q} --provenance {input.record:q} --introduction {input.introduction:q} --settings {params.sections:q}"
        " --output {output:q}) 2>&1 | tee {log:q}"


rule describe_run:
    input:
        provenance="<results>/provenance.json",
        read=list(READ.values()),
        outputs=[
            *expand("<results>/tables/{table}.tsv", table=[name for name in PARTS if name not in FOR_A_FIGURE]),
            *expand("<results>/figures/{figure}.{kind}", figure=FIGURES, kind=("svg", "tsv")),
            "<results>/report.html",
        ],
        snakefile=str(TOP / "Snakefile"),
    output:
        crate="<results>/ro-crate-metadata.json",
        bom="<results>/bom.json",
        snakefile="<results>/Snakefile",
    log:
        "<logs>/report/ro_crate.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        command=command("analysis", "ro_crate"),
        read=lambda w, input: settings(dict(zip(READ, input.read))),
    shell:
        "({params.command} --provenance {input.provenance:q} --inputs {params.read:q} --outputs {input.outputs:q}"
        " --snakefile {input.snakefile:q} --crate {output.crate:q} --bom {output.bom:q}) 2>&1 | tee {log:q}"
