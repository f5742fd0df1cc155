package haproxy

import (
	"errors"
	"net/url"
	"os"
	"strings"
)

// urlValue is the ocf.Value of a URL that may mention HAProxy's variables.
type urlValue struct{ p *string }

// Set refuses what could not be asked for whatever the variables are.
func (v urlValue) Set(text string) error {
	example := os.Expand(text, func(string) string { return "192.0.2.1" })
	u, err := url.Parse(example)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(text, " \t\r\n"):
		return errors.New("is not a URL: write http://host:port/path or https://host:port/path")
	case u.User != nil:
		return errors.New("holds a user or a password, which anybody who sees the cluster's configuration could read: leave them out")
	}
	*v.p = text
	return nil
}

func (urlValue) String() string { return "" }
func (urlValue) Type() string   { return "string" }
