# Data: downloads, simulated expression, and measured expression.


rule download:
    output:
        "<resources>/downloads/{path}",
    log:
        "<logs>/download/{path}.log",
    localrule: True
    conda:
        conda("analysis")
    # A resource, not a parameter: where a file is taken from changes nothing in it, so it must cause no rerun.
    resources:
        mirror=lambda w: mirror_option(w.path),
    params:
        command=command("analysis", "download"),
        source=lambda w: download_options(w.path),
    shell:
        "({params.command} {params.source} {resources.mirror} --output {output:q}) 2>&1 | tee {log:q}"


rule simulate_expression:
    output:
        expression="<results>/expression/{dataset}/expression.npz",
        truth="<results>/expression/{dataset}/truth.tsv",
        gene_sets="<results>/expression/{dataset}/gene_sets.gmt",
        record="<results>/expression/{dataset}/simulation.tsv",
    log:
        "<logs>/expression/{dataset}.log",
    wildcard_constraints:
        dataset=names(RANDOM),
    conda:
        conda("neural")
    resources:
        **needs("simulate_expression"),
    params:
        command=command("neural", "simulate_expression"),
        settings=lambda w: settings(PLAN.simulation_settings(w.dataset)),
    shell:
        "({params.command} --settings {params.settings:q} --expression {output.expression:q} --truth {output.truth:q}"
        " --gene-sets {output.gene_sets:q} --dataset {wildcards.dataset} --record {output.record:q}) 2>&1 | tee {log:q}"


rule simulate_published_network:
    input:
        unpack(simulation_files),
    output:
        expression="<results>/expression/{dataset}/expression.npz",
        truth="<results>/expression/{dataset}/truth.tsv",
    log:
        "<logs>/expression/{dataset}.log",
    wildcard_constraints:
        dataset=names(PUBLISHED),
    conda:
        conda("neural")
    resources:
        **needs("simulate_published_network"),
    params:
        command=command("neural", "simulate_expression"),
        options=lambda w, input: flags(simulation_files(w), input),
        settings=lambda w: settings(PLAN.simulation_settings(w.dataset)),
    shell:
        "({params.command} {params.options} --settings {params.settings:q} --expression {output.expression:q}"
        " --truth {output.truth:q}) 2>&1 | tee {log:q}"


rule prepare_expression:
    input:
        unpack(expression_files),
    output:
        "<results>/expression/{dataset}/expression.npz",
    log:
        "<logs>/expression/{dataset}.log",
    wildcard_constraints:
        dataset=names(MEASURED),
    conda:
        conda("neural")
    resources:
        **needs("prepare_expression"),
    params:
        command=command("neural", "prepare_expression"),
        options=lambda w, input: flags(expression_files(w), input),
        settings=lambda w: settings(PLAN.expression_settings(w.dataset)),
    shell:
        "({params.command} {params.options} --settings {params.settings:q} --expression {output:q}) 2>&1 | tee {log:q}"
