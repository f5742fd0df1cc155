package nic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Changes hears from the kernel when addresses or interfaces of this machine change.
type Changes struct {
	socket *os.File
	// unrest is how often Wait returns early, since something may follow that is not heard at once.
	unrest int
}

// Groups are what the kernel multicasts (rtnetlink(7)).
type Groups uint32

const (
	// Links are interfaces that come, go, or lose their carrier.
	Links Groups = unix.RTMGRP_LINK
	// Addresses are those of the interfaces.
	Addresses Groups = unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR
)

// NewChanges returns a Changes that hears everything of these groups from now on.
func NewChanges(groups Groups) (*Changes, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK,
		unix.NETLINK_ROUTE)
	if err == nil {
		if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK,
			Groups: uint32(groups)}); err != nil {
			_ = unix.Close(fd)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot hear of changes of this node's network: %w", err)
	}
	return &Changes{socket: os.NewFile(uintptr(fd), "netlink")}, nil
}

// Close closes the socket.
func (c *Changes) Close() { _ = c.socket.Close() }

// several is how long to wait for further changes after the first one: most do not come alone.
const several = 20 * time.Millisecond

// Where one change brings another, as the loss of a port does that of its bond, which looks at its ports
// ten times in a second, the kernel may tell of the second up to a second late (net/core/link_watch.c).
// So who waits looks every settleEvery for a second after a change.
const (
	settleEvery = 100 * time.Millisecond
	settleLooks = 10
)

// flood is how many changes are waited for, where they do not end.
const flood = 100

// Wait returns when something has changed, some times after that, after the time at the latest, or with
// the context's error. What has changed it does not say: the kernel drops messages that are not read in
// time, so whoever waits has to look anyway.
func (c *Changes) Wait(ctx context.Context, most time.Duration) error {
	defer context.AfterFunc(ctx, func() { _ = c.socket.SetReadDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, 1<<16)
	if c.unrest > 0 {
		c.unrest--
		most = min(most, settleEvery)
	}
	for wait, heard := most, 0; heard < flood; wait, heard = several, heard+1 {
		if err := c.socket.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err // it may have ended before the deadline was set
		}
		switch _, err := c.socket.Read(buf); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ctx.Err()
		case err != nil && !errors.Is(err, unix.ENOBUFS):
			return fmt.Errorf("cannot hear of changes of this node's network: %w", err)
		}
		c.unrest = settleLooks
	}
	return nil
}
