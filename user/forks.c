/*
 * forks.c - a family of processes: each child works on its own copy of memory and reports through a pipe.
 *
 * usage: forks [CHILDREN]	(default 5)
 * What one writes to memory after fork() the others do not see: the kernel copies a page when it is first written to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct report {
	pid_t pid;
	int number;
	long sum;
};

static long counter = 100; /* every process has its own after fork() */

static void
child(int number, int out)
{
	struct report r = {.pid = getpid(), .number = number};

	for (int i = 0; i <= number * 1000; i++)
		r.sum += i;
	counter += number;
	if (write(out, &r, sizeof(r)) != sizeof(r))
		_exit(255);
	_exit((int)(counter - 100));
}

int
main(int argc, char **argv)
{
	const int n = argc > 1 ? atoi(argv[1]) : 5;
	int ends[2], status, wrong = 0;
	struct report r;

	if (n < 1 || n > 200 || pipe(ends) != 0) {
		fprintf(stderr, "usage: forks [CHILDREN]  (1 to 200)\n");
		return 2;
	}
	for (int i = 1; i <= n; i++) {
		switch (fork()) {
		case -1: perror("forks: fork"); return 1;
		case 0: close(ends[0]); child(i, ends[1]);
		}
	}
	close(ends[1]);
	while (read(ends[0], &r, sizeof(r)) == sizeof(r))
		printf("child %d, process %d: the sum up to %d is %ld\n", r.number, (int)r.pid,
		       r.number * 1000, r.sum);
	for (pid_t pid; (pid = wait(&status)) > 0;) {
		if (!WIFEXITED(status)) {
			printf("process %d was killed by signal %d\n", (int)pid, WTERMSIG(status));
			wrong++;
		}
	}
	printf("all %d are done; my counter is still %ld\n", n, counter);
	return wrong != 0;
}
