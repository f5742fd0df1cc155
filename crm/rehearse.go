package crm

import (
	"context"
	"os"
	"path/filepath"
)

// Rehearse has Pacemaker's scheduler simulate a plan: what it would do, and the configuration and
// status that would result. A plan made from that result says what would come next. Nothing is
// written.
func (t *Tools) Rehearse(ctx context.Context, p Plan) (Forecast, *CIB, error) {
	if p.New.partial {
		return Forecast{}, nil, errNoStatus
	}
	ctx, cancel := withLimit(ctx)
	defer cancel()
	files, err := writePlan(p, true)
	if err != nil {
		return Forecast{}, nil, err
	}
	defer files.remove()
	after := filepath.Join(files.dir, "after.xml")
	out, err := t.run(ctx, nil, "crm_simulate", "--simulate", "--output-as=xml", "--xml-file",
		files.live, "--save-output", after)
	if err != nil {
		return Forecast{}, nil, err
	}
	if out.code != 0 {
		return Forecast{}, nil, t.toolError("crm_simulate", "simulate the configuration", out)
	}
	forecast, err := parseForecast(out.stdout)
	if err != nil {
		return Forecast{}, nil, err
	}
	text, err := os.ReadFile(after)
	if err != nil {
		return Forecast{}, nil, err
	}
	cib, err := ParseCIB(text)
	return forecast, cib, err
}
