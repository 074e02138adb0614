/* The version of Berth; the build may say another. */
#pragma once

#ifndef BERTH_VERSION
#define BERTH_VERSION "0.1.0"
#endif
