package machines

import (
	"bytes"
	"context"
	"slices"
)

// Plan is a change of several machines that has been thought through.
type Plan struct {
	// Here is this machine, by the name that the nodelist has for it.
	Here string
	// Says is what becomes of the cluster, in sentences; if there are no steps, how it is already.
	// Notes are what an administrator should know beside it.
	Says, Notes []string
	// Parts are the steps. Between is asked before each part but the first, if the one before it was
	// not empty: its error stops.
	Parts   [][]Step
	Between func(ctx context.Context) error
}

// Steps are those of all parts.
func (p Plan) Steps() []Step { return slices.Concat(p.Parts...) }

// Same says whether two plans do the same.
func (p Plan) Same(q Plan) bool {
	return slices.EqualFunc(p.Steps(), q.Steps(), func(a, b Step) bool {
		if (a.Input == nil) != (b.Input == nil) ||
			a.Input != nil && !bytes.Equal(a.Input.Bytes, b.Input.Bytes) {
			return false
		}
		return a.On == b.On && a.Does == b.Does && a.Line == b.Line && a.Into == b.Into
	})
}

// Do carries the plan out. begins is called before each step, with its number from 1.
func (p Plan) Do(ctx context.Context, on Shell, begins func(number, of int, s Step)) error {
	before, all := 0, len(p.Steps())
	for i, part := range p.Parts {
		if i > 0 && len(p.Parts[i-1]) > 0 && p.Between != nil {
			if err := p.Between(ctx); err != nil {
				return err
			}
		}
		for j, s := range part {
			number := before + j + 1
			begins(number, all, s)
			if err := s.do(ctx, on); err != nil {
				return &StepError{Step: s, Number: number, Of: all, Err: err}
			}
		}
		before += len(part)
	}
	return nil
}

// Reach is how the machines of a cluster are reached.
type Reach struct {
	// Shell makes what runs command lines on them; here is the machine that needs none of it.
	Shell func(here string) Shell
	// Here is what this machine is called, which the nodelist may call by another name.
	Here string
}
