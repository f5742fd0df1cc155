package crm

import "context"

// Lose has Pacemaker's scheduler simulate, with the live configuration and status, what it would do
// if that node ended, as after a power cut once the node is known to be down. Whether the other nodes
// would have a quorum is not asked. Nothing is written.
func (t *Tools) Lose(ctx context.Context, node string) (Forecast, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "crm_simulate", "--live-check", "--run", "--node-down="+node,
		"--output-as=xml")
	if err != nil {
		return Forecast{}, err
	}
	if out.code != 0 {
		return Forecast{}, t.toolError("crm_simulate", "simulate the loss of "+node, out)
	}
	return parseForecast(out.stdout)
}
