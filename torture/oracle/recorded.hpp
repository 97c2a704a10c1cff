// What a directory's verdict.json, or its absence, adds to what its other files tell.
#pragma once

#include <filesystem>
#include <string>

#include "torture/oracle/verdict.hpp"

namespace torture {

/// Without a verdict.json the directory was cut short, and its judgement is INTERRUPTED at best; a recorded verdict that is
/// worse than `judgement` stands, for it knew more: files lost since, a report that could not be written. Returns what there
/// is to say of it; empty when the two agree.
std::string heed_recorded(Judgement& judgement, const std::filesystem::path& dir);

}  // namespace torture
