// A library that is linked as it is, and keeps something that threads share.
static int kept;

void put_aside(int value);
int take_again();

void put_aside(int value) { kept = value; }
int take_again() { return kept; }
