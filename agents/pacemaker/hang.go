package pacemaker

import (
	"errors"
	"sync/atomic"
	"time"
)

// hangPause is for how long nothing is asked that has just not answered: an action that publishes
// many values must not wait for each of them.
const hangPause = 2 * time.Second

var errHangs = errors.New("the cluster does not accept values")

// hang remembers when the cluster did not accept a value in time. A nil one remembers nothing.
type hang struct{ at atomic.Pointer[time.Time] }

func (h *hang) note() {
	if h != nil {
		now := time.Now()
		h.at.Store(&now)
	}
}

// check returns an error shortly after a hang.
func (h *hang) check() error {
	if h == nil {
		return nil
	}
	if at := h.at.Load(); at != nil && time.Since(*at) < hangPause {
		return errHangs
	}
	return nil
}
