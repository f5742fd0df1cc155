package param

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// ParseOrigin reads the origin of an HTTP service, scheme://host or scheme://host:port, optionally
// followed by a slash, which is left out of the result.
func ParseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("is not an origin: write http://host:port or https://host")
	case u.User != nil:
		return "", errors.New("holds a user or a password: give the origin alone")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("continues after the host: write %s://%s, the path is "+
			"added", u.Scheme,
			u.Host)
	}
	return u.Scheme + "://" + u.Host, nil
}

// Origin binds the origin of an HTTP service, as ParseOrigin reads it. An empty default means
// "none".
func Origin(p *string, def string) Value {
	*p = def
	return bind("string", def, p, ParseOrigin)
}

// SafeOrigin reports whether a secret may be sent to the origin: by TLS, or without leaving this
// machine.
func SafeOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "https" {
		return err == nil
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// ParseSafeOrigin reads an origin as ParseOrigin does, and refuses one to which a secret would go in
// clear text.
func ParseSafeOrigin(text string) (string, error) {
	origin, err := ParseOrigin(text)
	if err == nil && !SafeOrigin(origin) {
		return "", errors.New("would get the token in clear text: write https://, or http:// with a " +
			"loopback address")
	}
	return origin, err
}

// ParseCheckURL reads the URL of a check through HAProxy, which may mention variables of HAProxy's
// environment, $NAME or ${NAME}. It refuses what could not be requested whatever the variables
// hold.
func ParseCheckURL(text string) (string, error) {
	u, err := url.Parse(os.Expand(text, func(string) string { return "192.0.2.1" }))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		strings.ContainsAny(text, " \t\r\n"):
		return "", errors.New("is not a URL: write http://host:port/path or https://host:port/path")
	case u.User != nil:
		return "", errors.New("holds a user or a password, which anybody who sees the cluster's " +
			"configuration could read: " +
			"leave them out")
	}
	return text, nil
}

// CheckURL binds the URL of a check, as ParseCheckURL reads it.
func CheckURL(p *string) Value { return bind("string", "", p, ParseCheckURL) }
