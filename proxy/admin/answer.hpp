#pragma once

#include "proxy/http/message.hpp"
#include "resolver/model/error.hpp"

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

namespace archway::proxy {

/// A plain text of the operator's port. Like all its answers nothing that anyone may keep.
Response text_answer(std::uint16_t status, std::string body,
                     std::string_view type = "text/plain; charset=utf-8");

/// A document of the API: one line of JSON.
Response json_answer(std::uint16_t status, const boost::json::value& document);
/// The same where it is written already.
Response json_answer(std::uint16_t status, std::string document);

/// `{"error":"…"}`: a sentence that says what was asked, what is wrong and what is allowed.
Response error_answer(std::uint16_t status, std::string sentence);
/// The same for an Error, with the status that it means.
Response error_answer(const Error& error);

}  // namespace archway::proxy
