package jsonout_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/jsonout"
	"github.com/hawser-ha/hawser/internal/outcome"
)

type List struct {
	Names []string   `json:"names"`
	Maybe []string   `json:"maybe,omitempty"`
	At    *time.Time `json:"at,omitempty"`
}

type report struct {
	Text  string `json:"text"`
	Big   int64  `json:"big"`
	Lists []List `json:"lists"`
	List
}

type ownTime struct {
	Node string    `json:"node"`
	Time time.Time `json:"time"`
	Is   string    `json:"is"`
}

func noon() time.Time {
	return time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("", 3600))
}

func written(t *testing.T, d jsonout.Document) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, d.Write(&b))
	return b.String()
}

func TestDocument(t *testing.T) {
	d := jsonout.Document{Time: noon(), Node: "lb-1"}
	require.Equal(t, "{\n  \"schema_version\": 1,\n  \"time\": \"2026-11-21T12:00:00+01:00\",\n"+
		"  \"node\": \"lb-1\"\n}\n", written(t, d))

	// The report's fields follow in their order, as they are, and no list is null.
	d.Report = &report{Text: "<a> & \"b\"\n", Big: 9007199254740993, Lists: []List{{}}}
	require.Equal(t, `{
  "schema_version": 1,
  "time": "2026-11-21T12:00:00+01:00",
  "node": "lb-1",
  "text": "<a> & \"b\"\n",
  "big": 9007199254740993,
  "lists": [
    {
      "names": []
    }
  ],
  "names": []
}
`, written(t, d))
	require.Nil(t, d.Report.(*report).Lists[0].Names, "the report itself stays as it is")

	// What the report says of time and node is better known, and said once.
	d.Report = ownTime{Node: "lb-2", Time: noon().Add(time.Hour), Is: "ok"}
	require.Equal(t, "{\n  \"schema_version\": 1,\n  \"time\": \"2026-11-21T13:00:00+01:00\",\n"+
		"  \"node\": \"lb-2\",\n  \"is\": \"ok\"\n}\n", written(t, d))

	d.Report = []string{"a list"}
	require.ErrorContains(t, d.Write(new(bytes.Buffer)), "is no object")
}

type faulty struct{ error }

func (faulty) Places() []jsonout.Fault {
	return []jsonout.Fault{{Line: 2, Column: 3, Message: "no key"}, {Message: "too long"}}
}

func TestFailure(t *testing.T) {
	err := fmt.Errorf("while reading: %w", faulty{errors.New("x.yaml:2:3: no key")})
	d := jsonout.Document{Time: noon(), Node: "lb-1",
		Report: ownTime{Node: "lb-1", Time: noon()}}
	d.Failure = jsonout.FailureOf(err, exitcode.Usage, "nothing was changed")
	require.Contains(t, written(t, d), `  "is": "",
  "error": {
    "message": "while reading: x.yaml:2:3: no key",
    "kind": "usage",
    "exit_code": 2,
    "hint": "nothing was changed",
    "faults": [
      {
        "line": 2,
        "column": 3,
        "message": "no key"
      },
      {
        "message": "too long"
      }
    ]
  }
}
`)
}

// Each kind belongs to one exit code, and the other way round.
func TestKindsAndCodes(t *testing.T) {
	for _, kind := range outcome.Kinds() {
		code := exitcode.Of(outcome.Errorf(kind, "x"))
		require.NotZero(t, code, kind)
		require.Equal(t, kind, jsonout.FailureOf(errors.New("x"), code, "").Kind)
	}
	require.Equal(t, outcome.Failed, exitcode.KindOf(77))
}
