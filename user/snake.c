/*
 * snake.c - the game, on a text terminal: arrow keys or wasd steer, q leaves, p pauses.
 *
 * It uses what full-screen programs need of a terminal: raw input, escape sequences for the cursor and
 * colours, poll() with a timeout, and the terminal as it was when it leaves, by a signal too.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_CELLS 4096

struct cell {
	int x, y;
};

static struct termios before;
static int width = 80, height = 24;  /* of the field, frame included */
static struct cell snake[MAX_CELLS]; /* [0] is the head */
static int length, score;
static struct cell food, step;
static volatile sig_atomic_t leaving;

static void
put(int x, int y, const char *text)
{
	printf("\033[%d;%dH%s", y + 1, x + 1, text);
}

static void
restore(void)
{
	printf("\033[0m\033[2J\033[H\033[?25h");
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

static void
on_signal(int number)
{
	(void)number;
	leaving = 1;
}

static bool
begin(void)
{
	struct termios raw;
	struct winsize size;
	struct sigaction action = {.sa_handler = on_signal};

	if (tcgetattr(STDIN_FILENO, &before) != 0) {
		fprintf(stderr, "snake: it takes a terminal to play\n");
		return false;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 && size.ws_row >= 8) {
		width = size.ws_col;
		height = size.ws_row - 1; /* the last line is for the score */
	}
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	return true;
}

static bool
on_snake(int x, int y)
{
	for (int i = 0; i < length; i++) {
		if (snake[i].x == x && snake[i].y == y)
			return true;
	}
	return false;
}

static void
place_food(void)
{
	do {
		food.x = 1 + rand() % (width - 2);
		food.y = 1 + rand() % (height - 2);
	} while (on_snake(food.x, food.y));
	put(food.x, food.y, "\033[33m*\033[0m");
}

static void
draw_frame(void)
{
	printf("\033[2J\033[?25l\033[36m");
	for (int x = 0; x < width; x++) {
		put(x, 0, "#");
		put(x, height - 1, "#");
	}
	for (int y = 0; y < height; y++) {
		put(0, y, "#");
		put(width - 1, y, "#");
	}
	printf("\033[0m");
}

static void
start(void)
{
	length = 4;
	score = 0;
	step = (struct cell){1, 0};
	for (int i = 0; i < length; i++)
		snake[i] = (struct cell){width / 2 - i, height / 2};
	draw_frame();
	for (int i = 0; i < length; i++)
		put(snake[i].x, snake[i].y, i == 0 ? "\033[32mO\033[0m" : "\033[32mo\033[0m");
	place_food();
}

static void
steer(int x, int y)
{
	if (x != -step.x || y != -step.y) /* not back into itself */
		step = (struct cell){x, y};
}

/* One key of @keys from @i on; returns how many bytes it has.  Arrows are ESC [ A to D. */
static int
one_key(const char *keys, int i, int n)
{
	char c = keys[i];
	int used = 1;

	if (c == '\033' && i + 2 < n && keys[i + 1] == '[') {
		static const char letters[] = "wsda";

		c = keys[i + 2] >= 'A' && keys[i + 2] <= 'D' ? letters[keys[i + 2] - 'A'] : '\0';
		used = 3;
	}
	switch (c) {
	case 'w': steer(0, -1); break;
	case 's': steer(0, 1); break;
	case 'a': steer(-1, 0); break;
	case 'd': steer(1, 0); break;
	case 'q': leaving = 1; break;
	case 'p':
		put(0, height, " paused: any key goes on\033[K");
		fflush(stdout);
		(void)poll(&(struct pollfd){STDIN_FILENO, POLLIN, 0}, 1, -1);
		break;
	}
	return used;
}

static void
read_keys(void)
{
	char keys[64];
	const ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	for (int i = 0; i < n;)
		i += one_key(keys, i, (int)n);
}

/* False: it ran into the frame or itself. */
static bool
move(void)
{
	const struct cell head = {snake[0].x + step.x, snake[0].y + step.y};
	const bool eats = head.x == food.x && head.y == food.y;

	if (head.x <= 0 || head.y <= 0 || head.x >= width - 1 || head.y >= height - 1)
		return false;
	if (eats && length < MAX_CELLS)
		length++;
	else
		put(snake[length - 1].x, snake[length - 1].y, " ");
	memmove(&snake[1], &snake[0], (size_t)(length - 1) * sizeof(snake[0]));
	snake[0].x = -1; /* the tail has moved on, the head is not there yet */
	if (on_snake(head.x, head.y))
		return false;
	snake[0] = head;
	put(snake[1].x, snake[1].y, "\033[32mo\033[0m");
	put(head.x, head.y, "\033[32mO\033[0m");
	if (eats) {
		score++;
		place_food();
	}
	return true;
}

static void
play(void)
{
	bool alive = true;

	start();
	while (alive && !leaving) {
		struct pollfd in = {STDIN_FILENO, POLLIN, 0};
		const int pace = score < 20 ? 150 - score * 5 : 50; /* ms a step */

		put(0, height, "\033[K");
		printf(" score %d   arrows or wasd steer, p pauses, q leaves", score);
		fflush(stdout);
		/* A step's time passes whether or not a key comes in between. */
		usleep((useconds_t)pace * 1000);
		if (poll(&in, 1, 0) > 0)
			read_keys();
		alive = move();
	}
}

int
main(void)
{
	if (!begin())
		return 1;
	srand((unsigned)time(NULL));
	play();
	restore();
	printf("Your score: %d\n", score);
	return 0;
}
