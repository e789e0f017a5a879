#pragma once

#include "metrics/log.hpp"
#include "proxy/wakeup.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace detail {

template <class T>
struct Together {
  std::vector<std::optional<T>> results;
  std::size_t under_way = 0;
  std::shared_ptr<Wakeup> ended;
};

template <class T>
boost::asio::awaitable<void> one_of_them(std::shared_ptr<Together<T>> all, std::size_t at,
                                         boost::asio::awaitable<T> work) {
  T result = co_await std::move(work);
  all->results[at].emplace(std::move(result));
}

}  // namespace detail

/// Runs all of them at once on this loop and gives back what each gave, in their order; nothing for
/// those that are not done in time (they go on, and end by their own bounds) or that threw.
template <class T>
boost::asio::awaitable<std::vector<std::optional<T>>> run_together(
    std::vector<boost::asio::awaitable<T>> works, std::chrono::milliseconds time,
    metrics::Log* log) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto all = std::make_shared<detail::Together<T>>();
  all->results.resize(works.size());
  all->under_way = works.size();
  all->ended = Wakeup::make(executor);
  for (std::size_t i = 0; i < works.size(); ++i) {
    boost::asio::co_spawn(executor, detail::one_of_them<T>(all, i, std::move(works[i])),
                          [all, log](std::exception_ptr escaped) {
                            if (escaped) log->error("a question ended by an exception");
                            if (--all->under_way == 0) all->ended->fire();
                          });
  }
  if (!works.empty()) co_await all->ended->wait(time);
  co_return all->results;
}

}  // namespace archway::proxy
