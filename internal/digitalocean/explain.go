package digitalocean

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/digitalocean/godo"

	"github.com/hawser-ha/hawser/internal/fault"
)

// Failure is an interpreted error of the API: what it means and whether the same request may
// succeed later.
type Failure struct {
	Err   error // a *fault.Error
	Again bool
	After time.Duration // how long the API asks to wait; 0 if it does not say
}

// Explain interprets an error of a request. what completes "cannot ...": "assign 203.0.113.10 to
// droplet 12".
func (c *Client) Explain(ctx context.Context, what string, err error) *Failure {
	if err == nil {
		return nil
	}
	f := c.read(err)
	kind, text := fault.Of(f.Err), c.Redact(f.Err.Error())
	// The text is fixed now, so that no wrapped error can reveal the token; only the end of the
	// context stays recognisable.
	cause := errors.New(text)
	if ctx.Err() != nil {
		f.Again = false
		f.Err = fault.Errorf(kind, "cannot %s: %w (%w)", what, cause, ctx.Err())
	} else {
		f.Err = fault.Errorf(kind, "cannot %s: %w", what, cause)
	}
	return f
}

// Redact removes the token from a text: what an API or a proxy says may quote the request.
func (c *Client) Redact(text string) string {
	if c.secret == "" {
		return text
	}
	return strings.ReplaceAll(text, c.secret, "********")
}

func (c *Client) read(err error) *Failure {
	var known *fault.Error
	var answer *godo.ErrorResponse
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	var unknownHost *net.DNSError
	var transport *url.Error
	var timeout net.Error
	var broken *net.OpError
	var endless *http.MaxBytesError
	switch {
	case errors.As(err, &known): // the token could not be read
		return &Failure{Err: known}
	case errors.As(err, &answer):
		// before it is cut, so that no part of the token is left of it
		answer.Message = c.Redact(answer.Message)
		return c.readAnswer(answer)
	case errors.As(err, &syntax), errors.As(err, &shape), errors.Is(err, io.EOF),
		errors.As(err, &endless):
		return &Failure{Again: true, Err: fault.Errorf(fault.Unknown,
			"%s answers something that is not DigitalOcean's JSON: is it the API's origin, or a "+
				"proxy's page? (%w)", c.c.Origin, err)}
	case errors.Is(err, context.Canceled):
		return &Failure{Err: fault.Errorf(fault.Unknown, "%s was given up", c.c.Origin)}
	case errors.As(err, &unknownHost):
		return &Failure{Again: true, Err: fault.Errorf(fault.Unknown,
			"the API's host %s is not found: does this node's name resolution work? (%w)",
			unknownHost.Name, unknownHost)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Failure{Again: true,
			Err: fault.Errorf(fault.Unknown, "no answer from %s in time (%s a request)", c.c.Origin,
				c.HTTP.Timeout)}
	case errors.As(err, &transport):
		return &Failure{Again: true, Err: fault.Errorf(fault.Unknown, "%s cannot be reached: %w",
			c.c.Origin, transport.Err)}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken) {
		return &Failure{Again: true, Err: fault.Errorf(fault.Unknown, "%s broke its answer off: %w",
			c.c.Origin, err)}
	}
	return &Failure{Err: fault.Errorf(fault.Unknown, "%w", err)}
}

// readAnswer interprets an answer with an error status, as the API documents them and as its users
// have seen them.
func (c *Client) readAnswer(answer *godo.ErrorResponse) *Failure {
	status := answer.Response.StatusCode
	if strings.Contains(answer.Response.Header.Get("Content-Type"), "html") && status >= 400 &&
		status < 500 {
		// A proxy or a firewall in front of the API answers with a page; that says nothing about
		// the token or the address, and will pass.
		return &Failure{Again: true, Err: fault.Errorf(fault.Unknown,
			"%s answers %d with a page that is not DigitalOcean's JSON: is it the API's origin, "+
				"or a proxy's page?", c.c.Origin, status)}
	}
	said := fmt.Sprintf("the API says %d", status)
	if answer.Message != "" {
		said += fmt.Sprintf(" %.200q", answer.Message)
	}
	if answer.RequestID != "" {
		said += fmt.Sprintf(", request %.60s", answer.RequestID)
	}
	lower := strings.ToLower(answer.Message)
	switch {
	case status == http.StatusUnauthorized:
		return &Failure{Err: fault.Errorf(fault.Denied,
			"the token is refused (%s): is it expired, revoked or incomplete? Make a new one "+
				"with the scopes %s", said, c.c.Words.Scopes)}
	case status == http.StatusForbidden:
		return &Failure{Err: fault.Errorf(fault.Denied,
			"the token lacks a right (%s): it needs the scopes %s", said, c.c.Words.Scopes)}
	case status == http.StatusNotFound:
		return &Failure{Err: fault.Errorf(fault.NotFound, c.c.Words.NotFound, said)}
	case status == http.StatusUnprocessableEntity && (strings.Contains(lower, "pending event") ||
		strings.Contains(lower, "locked")),
		status == http.StatusConflict, status == http.StatusLocked:
		return &Failure{Again: true,
			Err: fault.Errorf(fault.Busy, "another event of %s is still under way (%s)",
				c.c.Words.Busy, said)}
	case status == http.StatusUnprocessableEntity && (strings.Contains(lower, "region") ||
		strings.Contains(lower, "datacenter") ||
		strings.Contains(lower, "data center")): //nolint:misspell // the API's spelling
		return &Failure{Err: fault.Errorf(fault.Misplaced,
			"the address and the droplet are in different data centres (%s)", said)}
	case status == http.StatusTooManyRequests:
		after := retryAfter(answer.Response.Header, time.Now())
		text := "it does not say for how long"
		if after > 0 {
			text = fmt.Sprintf("for another %s", after.Round(time.Second))
		}
		return &Failure{Again: true, After: after, Err: fault.Errorf(fault.Throttled,
			"the API refuses further requests with this token, %s (%s): the limits are 250 a "+
				"minute "+
				"and 5000 an hour; "+
				"give the cluster a token of its own", text, said)}
	case status >= 500, status == http.StatusRequestTimeout:
		return &Failure{Again: true, Err: fault.Errorf(fault.Unknown, "%s", said)}
	case status >= 300 && status < 400:
		return &Failure{Err: fault.Errorf(fault.Unknown,
			"%s and redirects to another place, where the token must not be sent: correct "+
				"api_url", said)}
	}
	return &Failure{Err: fault.Errorf(fault.Unknown, "%s", said)}
}

// retryAfter returns how long a 429 asks to wait. The limit per minute comes with Retry-After; that
// per hour only with RateLimit-Reset, the time in seconds since 1970 at which the oldest request of
// the hour stops counting.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if text := h.Get("Retry-After"); text != "" {
		if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
			return time.Duration(min(seconds, 3600)) * time.Second
		}
		if at, err := http.ParseTime(text); err == nil && at.After(now) {
			return min(at.Sub(now), time.Hour)
		}
	}
	if seconds, err := strconv.ParseInt(h.Get("Ratelimit-Reset"), 10, 64); err == nil {
		if at := time.Unix(seconds, 0); at.After(now) {
			return min(at.Sub(now), time.Hour)
		}
	}
	return 0
}
