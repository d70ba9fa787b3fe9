# Sourced by _lib.sh: puts the style sheets, fonts, pictures and scripts of the pages where the pages find them.
# Nothing is downloaded once this has run.

set_up_assets() {
    local static=$ROOT/src/handhold/web/static modules=$ROOT/node_modules wanted
    wanted=$(sha256sum <"$ROOT/package-lock.json")
    if [ "$(cat "$static/uswds/handhold.mark" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    say "installing the page assets"
    if ! (cd "$ROOT" && quietly npm ci --no-progress); then
        say "the page assets could not be installed: the pages will be plain; run this again when a package registry is reachable"
        return
    fi
    rm -rf "$static/uswds" "$static/htmx"
    mkdir -p "$static/uswds/css" "$static/uswds/js" "$static/htmx"
    cp "$modules/@uswds/uswds/dist/css/uswds.min.css" "$static/uswds/css/"
    cp "$modules/@uswds/uswds/dist/js/"uswds*.min.js "$static/uswds/js/"
    cp -R "$modules/@uswds/uswds/dist/fonts" "$modules/@uswds/uswds/dist/img" "$static/uswds/"
    cp "$modules/htmx.org/dist/htmx.min.js" "$static/htmx/"
    printf '%s\n' "$wanted" >"$static/uswds/handhold.mark"
}
set_up_assets
