/* SPDX-License-Identifier: Apache-2.0 */
/* Functions whose use fails the build; included on the command line of every user-space file. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gmtime localtime popen
