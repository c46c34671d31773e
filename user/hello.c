/*
 * hello.c - says hello, and shows what the kernel gave a new program: arguments, environment, auxiliary vector.
 *
 * A Linux program like any other: `musl-gcc -static user/hello.c` makes one that runs under Linux, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

int
main(int argc, char **argv, char **envp)
{
	struct utsname name;

	if (uname(&name) != 0) {
		perror("hello: uname");
		return 1;
	}
	printf("Hello from process %d on %s (%s).\n", (int)getpid(), name.nodename, name.version);
	for (int i = 0; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	for (char **e = envp; *e != NULL; e++)
		printf("environment: %s\n", *e);
	printf("entry point %#lx, page size %lu, stack near %p\n", getauxval(AT_ENTRY),
	       getauxval(AT_PAGESZ), (void *)&name);
	return 0;
}
