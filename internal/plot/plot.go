// Package plot draws the figures of the benchmarks as SVG. The same figures give the same bytes, so
// that a plot under version control changes only when what it shows has changed.
//
// It imports nothing of ours, and nothing that is installed imports it. There is only this file.
package plot

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format that WriterTo is asked for
)

// Labels is what a plot says about itself.
type Labels struct {
	Title, X, Y string
	// LogX and LogY give an axis a logarithmic scale. Values that are not positive cannot be shown
	// on it and are left out.
	LogX, LogY bool
}

// Series is one line, one cumulative distribution, or one bar in each group of bars.
type Series struct {
	Name string
	X, Y []float64 // only Lines looks at X
}

const width, height = 620 * vg.Length(1), 340 * vg.Length(1) // points

// colour is one of the colours of Okabe and Ito, which people who do not see all colours can tell
// apart.
func colour(i int) color.Color {
	of := []color.RGBA{
		{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
		{230, 159, 0, 255}, {86, 180, 233, 255}, {90, 90, 90, 255},
	}
	return of[i%len(of)]
}

// Lines draws one line with its points for each series.
func Lines(l Labels, series ...Series) ([]byte, error) {
	p := empty(l)
	drawn := 0
	for i, s := range series {
		if len(s.X) != len(s.Y) {
			return nil, fmt.Errorf("plot %q: %s has %d values of x and %d of y", l.Title, s.Name,
				len(s.X), len(s.Y))
		}
		points := l.shown(s.X, s.Y)
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("plot %q: %s: %w", l.Title, s.Name, err)
		}
		line.Color, line.Width = colour(i), vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = colour(i), draw.CircleGlyph{}, vg.Points(2.5)
		p.Add(line, dots)
		p.Legend.Add(s.Name, line, dots)
		drawn++
	}
	return render(p, l, drawn)
}

// CDF draws for each series the share of its values (Y) up to each size.
func CDF(l Labels, series ...Series) ([]byte, error) {
	if l.Y == "" {
		l.Y = "share of all"
	}
	l.LogY = false
	p := empty(l)
	drawn := 0
	for i, s := range series {
		points := l.shown(distribution(s.Y))
		if len(points) == 0 {
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("plot %q: %s: %w", l.Title, s.Name, err)
		}
		line.Color, line.Width, line.StepStyle = colour(i), vg.Points(1.5), plotter.PostStep
		p.Add(line)
		p.Legend.Add(s.Name, line)
		drawn++
	}
	p.Y.Min, p.Y.Max = 0, 1
	p.Legend.Top = false
	return render(p, l, drawn)
}

// corners is how many points a distribution is drawn with, so that a million requests make no
// larger file than a thousand.
const corners = 500

// distribution returns the corners of the cumulative distribution of values. The ends are always
// included: the slowest request is the point of such a plot.
func distribution(values []float64) (x, y []float64) {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := len(sorted)
	at := func(i int) {
		x, y = append(x, sorted[i]), append(y, float64(i+1)/float64(n))
	}
	step := max(1, n/corners)
	for i := 0; i < n; i += step {
		at(i)
	}
	// The last percent again in finer steps: it is where the lines differ.
	if tail := n - n/100; tail < n && step > 1 {
		for len(y) > 0 && y[len(y)-1] > float64(tail)/float64(n) {
			x, y = x[:len(x)-1], y[:len(y)-1]
		}
		for i := tail; i < n; i += max(1, (n-tail)/corners) {
			at(i)
		}
	}
	if n > 0 && y[len(y)-1] < 1 {
		at(n - 1)
	}
	return x, y
}

// Bars draws a group of bars for each category, with one bar of each series; series[i].Y[j] is for
// categories[j]. Each bar has its value written above it; NaN is a missing bar.
func Bars(l Labels, categories []string, series ...Series) ([]byte, error) {
	p := empty(l)
	low, high := math.Inf(1), 0.0
	for _, s := range series {
		if len(s.Y) != len(categories) {
			return nil, fmt.Errorf("plot %q: %s has %d values for %d categories", l.Title, s.Name,
				len(s.Y), len(categories))
		}
		for _, v := range s.Y {
			if v > 0 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if high == 0 {
		low, high = 0.1, 1
	}
	foot := 0.0
	p.Y.Max = high * 1.1
	if l.LogY {
		foot = math.Pow(10, math.Floor(math.Log10(low))-1)
		p.Y.Max = high * 3
	}
	p.Y.Min = foot
	wide := 0.8 / float64(len(series))
	texts := plotter.XYLabels{}
	for i, s := range series {
		for j, v := range s.Y {
			if math.IsNaN(v) {
				continue
			}
			left := float64(j) - 0.4 + wide*float64(i)
			top := max(v, foot)
			bar, err := plotter.NewPolygon(plotter.XYs{
				{X: left, Y: foot}, {X: left + wide*0.95, Y: foot}, {X: left + wide*0.95, Y: top},
				{X: left, Y: top},
			})
			if err != nil {
				return nil, fmt.Errorf("plot %q: %s: %w", l.Title, s.Name, err)
			}
			bar.Color, bar.Width = colour(i), 0
			p.Add(bar)
			if j == 0 {
				p.Legend.Add(s.Name, bar)
			}
			texts.XYs = append(texts.XYs, plotter.XY{X: left + wide/2, Y: top})
			texts.Labels = append(texts.Labels, short(v))
		}
	}
	values, err := plotter.NewLabels(texts)
	if err != nil {
		return nil, fmt.Errorf("plot %q: %w", l.Title, err)
	}
	for i := range values.TextStyle {
		values.TextStyle[i].XAlign, values.TextStyle[i].Font.Size = draw.XCenter, vg.Points(8)
	}
	values.Offset.Y = vg.Points(2)
	p.Add(values)
	p.NominalX(categories...)
	p.X.Min, p.X.Max = -0.6, float64(len(categories))-0.4
	if len(series) == 1 {
		p.Legend = plot.NewLegend()
	}
	return render(p, l, len(texts.Labels))
}

// short writes a value with three digits.
func short(v float64) string {
	if v == 0 || math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func empty(l Labels) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = l.Title, l.X, l.Y
	p.Title.Padding = vg.Points(6)
	p.Legend.Top, p.Legend.Padding = true, vg.Points(2)
	p.BackgroundColor = color.White
	if l.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	if l.LogY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	p.Add(plotter.NewGrid())
	return p
}

// shown returns the points that the axes can show.
func (l Labels) shown(x, y []float64) plotter.XYs {
	var points plotter.XYs
	for i := range x {
		if math.IsNaN(y[i]) || math.IsInf(y[i], 0) || l.LogX && x[i] <= 0 || l.LogY && y[i] <= 0 {
			continue
		}
		points = append(points, plotter.XY{X: x[i], Y: y[i]})
	}
	return points
}

func render(p *plot.Plot, l Labels, drawn int) (svg []byte, err error) {
	if drawn == 0 {
		return nil, fmt.Errorf("plot %q: there is nothing to show", l.Title)
	}
	// A logarithmic axis that ends where it begins has no ticks, which makes gonum panic.
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		if axis.Min == axis.Max {
			axis.Min, axis.Max = axis.Min*0.9, axis.Max*1.1
		}
	}
	w, err := p.WriterTo(width, height, "svg")
	if err != nil {
		return nil, fmt.Errorf("plot %q: %w", l.Title, err)
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("plot %q: %w", l.Title, err)
	}
	if out.Len() == 0 {
		return nil, errors.New("plot: an empty drawing")
	}
	return out.Bytes(), nil
}
