package crm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The instances of a clone are one line, and what differs is not merged.
func TestForecastForPeople(t *testing.T) {
	require.Equal(t, []string{
		"restart haproxy on lb-1, lb-2", "start haproxy on lb-3", "restart haproxy on lb-4 (reasons)",
		"move FloatIP from lb-1 to lb-2", "fence lb-5", "start other on lb-1, but it is blocked",
	}, Forecast{Actions: []Action{
		{Task: "restart", Resource: "haproxy:0", Node: "lb-1"},
		{Task: "start", Resource: "haproxy:2", Node: "lb-3"},
		{Task: "restart", Resource: "haproxy:1", Node: "lb-2"},
		{Task: "restart", Resource: "haproxy:3", Node: "lb-4", Reason: "reasons"},
		{Task: "move", Resource: "FloatIP", Node: "lb-2", From: "lb-1"},
		{Task: "fence", Node: "lb-5"},
		{Task: "start", Resource: "other", Node: "lb-1", Blocked: true},
	}}.Lines())
}
