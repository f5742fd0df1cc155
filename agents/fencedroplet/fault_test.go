package fencedroplet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab/cloud"
)

// What the cloud does wrong while a fence is under way: it ends in a droplet that is off, or in a
// failure with a reason, and never in a success for one that is on.
func TestOffWithFaults(t *testing.T) {
	for name, test := range map[string]struct {
		faults []cloud.Fault
		time   string // power_timeout; 5 s if empty
		reason string // of a failure
	}{
		"422 once": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 422,
			Match: "POST ", Count: 1}}},
		"a pending event": {faults: []cloud.Fault{{Kind: cloud.PendingEvent, Count: 3}}},
		"a pending event for ever": {faults: []cloud.Fault{{Kind: cloud.PendingEvent}}, time: "0.5",
			reason: "another event of the droplet is still under way (the API says 422"},
		"locked for ever": {faults: []cloud.Fault{{Kind: cloud.Locked}}, time: "0.5",
			reason: "another event of the droplet is still under way (the API says 422"},
		"429 with retry-after": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 429,
			Count: 1, RetryAfter: time.Second}}},
		"429 for longer than it has": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 429,
			RetryAfter: time.Minute}},
			reason: "the API refuses further requests with this token, for another 1m0s"},
		"500": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 500,
			Count: 4}}},
		"503 for ever": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 503}},
			time: "0.5", reason: "the API says 503"},
		"503 for orders": {faults: []cloud.Fault{{Kind: cloud.Status, Status: 503,
			Match: "POST "}}, time: "0.5", reason: "the API says 503"},
		"no answer once": {faults: []cloud.Fault{{Kind: cloud.Hang, Count: 1}}},
		"no answer to an order": {faults: []cloud.Fault{{Kind: cloud.Hang, Match: "POST ",
			Count: 1}}},
		"no answer ever": {faults: []cloud.Fault{{Kind: cloud.Hang}}, time: "1.5",
			reason: "no answer from "},
		"connections broken": {faults: []cloud.Fault{{Kind: cloud.Drop, Count: 3}}},
		"the answer lost": {faults: []cloud.Fault{{Kind: cloud.LostAnswer, Match: "POST ",
			Count: 1}}},
		"slow": {faults: []cloud.Fault{{Kind: cloud.Latency,
			Delay: 200 * time.Millisecond}}},
		"the action fails once": {faults: []cloud.Fault{{Kind: cloud.ActionError, Count: 1}}},
		"the action fails always": {faults: []cloud.Fault{{Kind: cloud.ActionError}}, time: "0.7",
			reason: "the API accepted it"},
		"the action does nothing": {faults: []cloud.Fault{{Kind: cloud.ActionIdle}}, time: "0.7",
			reason: "the API accepted it"},
		"it did nothing once": {faults: []cloud.Fault{{Kind: cloud.ActionIdle, Count: 1}}},
		"the action never ends": {faults: []cloud.Fault{{Kind: cloud.ActionStuck}}, time: "0.5",
			reason: "the API accepted it, and it is still under way"},
		"no metadata service":      {faults: []cloud.Fault{{Kind: cloud.MetadataStatus}}},
		"a metadata service hangs": {faults: []cloud.Fault{{Kind: cloud.MetadataHang}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			if test.time != "" {
				s.time = test.time
			}
			for _, f := range test.faults {
				s.SetFault(f)
			}
			r := s.run("action=off", "port=lb-2")
			s.ClearFaults()
			if test.reason == "" {
				require.Equal(t, 0, r.code, r.stderr)
				require.False(t, s.on(1002))
				return
			}
			require.Equal(t, 1, r.code, r.stderr)
			require.Contains(t, r.stderr, test.reason)
			require.Contains(t, r.stderr, "lb-2 is not known to be off: ")
			require.Empty(t, r.stdout)
		})
	}
}
