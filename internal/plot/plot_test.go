package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/plot"
)

// wellFormed reads the drawing to its end and returns its texts.
func wellFormed(t *testing.T, svg []byte) string {
	t.Helper()
	var texts strings.Builder
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts.String()
		}
		require.NoError(t, err)
		if text, ok := token.(xml.CharData); ok {
			texts.Write(text)
			texts.WriteByte('\n')
		}
	}
}

func TestLines(t *testing.T) {
	draw := func() []byte {
		svg, err := plot.Lines(plot.Labels{Title: "growth", X: "resources", Y: "ms", LogX: true, LogY: true},
			plot.Series{Name: "apply", X: []float64{0, 10, 100, 1000}, Y: []float64{1, 2, 3, math.NaN()}},
			plot.Series{Name: "plan", X: []float64{10, 100, 1000}, Y: []float64{4, 5, 6}})
		require.NoError(t, err)
		return svg
	}
	first := draw()
	texts := wellFormed(t, first)
	for _, want := range []string{"growth", "resources", "apply", "plan"} {
		require.Contains(t, texts, want)
	}
	require.Equal(t, string(first), string(draw()), "the same figures give the same bytes")

	_, err := plot.Lines(plot.Labels{Title: "x"}, plot.Series{Name: "odd", X: []float64{1}})
	require.ErrorContains(t, err, "odd has 1 values of x and 0 of y")
}

func TestOnePoint(t *testing.T) {
	svg, err := plot.Lines(plot.Labels{LogX: true, LogY: true}, plot.Series{Name: "a", X: []float64{3}, Y: []float64{3}})
	require.NoError(t, err)
	wellFormed(t, svg)
}

func TestCDF(t *testing.T) {
	values := make([]float64, 100_000)
	for i := range values {
		values[i] = 1 + float64(i)/1000
	}
	values[77] = 5000
	svg, err := plot.CDF(plot.Labels{Title: "waits", X: "ms", LogX: true}, plot.Series{Name: "held", Y: values}, plot.Series{Name: "none"})
	require.NoError(t, err)
	require.Contains(t, wellFormed(t, svg), "1000", "the slowest is on the axis")
	require.Less(t, len(svg), 100_000, "a plot of many values is no larger than one of a few")
}

func TestBars(t *testing.T) {
	for _, log := range []bool{false, true} {
		svg, err := plot.Bars(plot.Labels{Title: "reloads", Y: "ms", LogY: log}, []string{"bare", "held", "plug"},
			plot.Series{Name: "p99", Y: []float64{0.5, 21.25, math.NaN()}}, plot.Series{Name: "failed", Y: []float64{12, 0, math.NaN()}})
		require.NoError(t, err)
		texts := wellFormed(t, svg)
		for _, want := range []string{"bare", "plug", "21.2", "12", "p99"} {
			require.Contains(t, texts, want)
		}
	}
	_, err := plot.Bars(plot.Labels{Title: "x"}, []string{"a", "b"}, plot.Series{Name: "odd", Y: []float64{1}})
	require.ErrorContains(t, err, "odd has 1 values for 2 categories")
}

func TestNothing(t *testing.T) {
	_, err := plot.CDF(plot.Labels{Title: "empty"}, plot.Series{Name: "none"})
	require.ErrorContains(t, err, "nothing to show")
}
