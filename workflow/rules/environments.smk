# Software environments: all of them at once, for a cluster whose nodes have no internet.


rule environments:
    log:
        "<logs>/environments.log",
    localrule: True
    conda:
        conda("analysis")
    params:
        commands=" && ".join(f"{command(name, 'environment')} --help" for name in ENVIRONMENTS),
    shell:
        "({params.commands}) > {log:q}"
