#pragma once

#if !defined(__has_feature)  // g++, which has macros instead.
#define __has_feature(feature) 0
#endif

namespace archway::test {

/// This build is watched by the address sanitizer, or by the thread sanitizer: its memory is not
/// what it is elsewhere, and the watcher needs descriptors of its own. g++ and clang tell so in
/// different ways.
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif
inline constexpr bool sanitized = address_sanitized || thread_sanitized;

}  // namespace archway::test
