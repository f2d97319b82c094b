# Reactions of over-complete mechanistic models, pruned from the ends of their fits.


rule prune_reactions:
    input:
        files=fitted_problem,
        model="<results>/models/{problem}",
        solver="<results>/solvers/{problem}.json",
        fits=lambda w: reaction_fits(w, "tsv"),
        parameters=lambda w: reaction_fits(w, "parameters.npz"),
        prior=lambda w: PLAN.problems[w.problem]["reactions"]["prior"],
    output:
        runs="<results>/reactions/{problem}/{replicate}/{method}.tsv",
        path="<results>/reactions/{problem}/{replicate}/{method}.path.tsv",
    log:
        "<logs>/reactions/{problem}/{replicate}/{method}.log",
    conda:
        conda("mechanistic")
    resources:
        **needs("prune_reactions"),
    params:
        command=command("mechanistic", "prune_reactions"),
        problem=lambda w, input: petab_yaml(input.files),
        test=lambda w, input: held_out_option(w.problem, input.files),
        settings=lambda w: settings(PLAN.reaction_settings(w.problem)),
        checkpoint=lambda w, output: f"{output.runs}.checkpoint",
    shell:
        "({params.command} --problem {params.problem:q} {params.test} --model {input.model:q} --solver {input.solver:q}"
        " --fits {input.fits:q} --parameters {input.parameters:q} --prior {input.prior:q} --name {wildcards.problem}"
        " --replicate {wildcards.replicate} --method {wildcards.method} --settings {params.settings:q}"
        " --checkpoint {params.checkpoint:q} --output {output.runs:q} --path {output.path:q}) 2>&1 | tee {log:q}"
