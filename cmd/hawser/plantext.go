package main

import (
	"github.com/hawser-ha/hawser/cluster/plantext"
	"github.com/hawser-ha/hawser/crm"
)

// showPlan prints each object that is created, changed or deleted.
func (s *terminal) showPlan(p crm.Plan) {
	s.printf("%s", plantext.Changes(p, func(kind plantext.Kind, text string) string {
		return s.paint(map[plantext.Kind]string{
			plantext.Created: green, plantext.Changed: yellow, plantext.Deleted: red,
		}[kind], text)
	}))
}

// showForecast prints what the scheduler would do.
func (s *terminal) showForecast(f crm.Forecast) { s.printf("%s", plantext.Forecast(f)) }

// showInterruptions prints first of all what visitors will notice.
func (s *terminal) showInterruptions(all []string) {
	s.printf("%s", plantext.Interruptions(all,
		func(text string) string { return s.paint(red, text) }))
}
