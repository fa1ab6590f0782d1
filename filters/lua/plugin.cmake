# SPDX-License-Identifier: Apache-2.0
set(PLUGIN_SEES lua)
set(PLUGIN_LINKS weir_lua)
