/* Asks the C library for the IPv4 addresses of a name, as most programs do. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *all, *one;
	char text[INET_ADDRSTRLEN];
	int failure;

	if (argc != 2)
		return 64;
	failure = getaddrinfo(argv[1], NULL, &hints, &all);
	if (failure != 0) {
		puts(gai_strerror(failure));
		return 1;
	}
	for (one = all; one != NULL; one = one->ai_next) {
		struct sockaddr_in *address = (struct sockaddr_in *)one->ai_addr;
		puts(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
	}
	freeaddrinfo(all);
	return 0;
}
