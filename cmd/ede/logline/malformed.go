package logline

// Malformed is the error for a line that is ede's but cannot be read. It is a
// small number so that it can be counted by reason without allocation.
type Malformed uint8

const (
	// BadSyntax: not a list of key=value parted by single spaces.
	BadSyntax Malformed = iota
	// BadQuoting: a quoted value that does not end, or an unknown escape.
	BadQuoting
	// BadJSON: an object that is cut off or is not JSON (RFC 8259).
	BadJSON
	// BadNumber: a count or duration that is not a number, or absurdly large.
	BadNumber
	// BadValue: a value that its key does not allow, or a longer one.
	BadValue
	// Duplicate: a key that occurs twice.
	Duplicate
	// Missing: a key that its kind of line cannot do without.
	Missing
	// TooLong: a line longer than the reader's limit.
	TooLong
	// NumMalformed is the number of reasons.
	NumMalformed
)

var malformedTexts = [NumMalformed]string{
	BadSyntax:  "not key=value",
	BadQuoting: "bad quoting",
	BadJSON:    "bad JSON",
	BadNumber:  "bad number",
	BadValue:   "bad value",
	Duplicate:  "key given twice",
	Missing:    "key missing",
	TooLong:    "line too long",
}

func (m Malformed) Error() string {
	if m < NumMalformed {
		return malformedTexts[m]
	}
	return "malformed"
}
