package param

import (
	"errors"
	"strings"
)

// NoService is the word for no service: to an agent an empty parameter looks like none at all.
const NoService = "none"

// ParseService reads the whole name of a systemd service, or NoService, which it returns as "".
func ParseService(text string) (string, error) {
	if text == NoService {
		return "", nil
	}
	if !strings.HasSuffix(text, ".service") || strings.ContainsAny(text, "/ \t\r\n") ||
		text == ".service" {
		return "", errors.New("is not a systemd service: write its whole name, such as " +
			"haproxy.service, or none")
	}
	return text, nil
}

// Service binds the name of a systemd service; for NoService the variable is empty.
func Service(p *string, def string) Value {
	*p = def
	return bind("string", def, p, ParseService)
}
