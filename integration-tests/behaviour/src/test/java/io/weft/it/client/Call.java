package io.weft.it.client;

import io.weft.driver.HttpCall.Way;
import java.util.LinkedHashMap;
import java.util.Map;

/** A request for a driver, in the making. Immutable. */
record Call(Map<String, String> form) {
    Call {
        form = new LinkedHashMap<>(form);
    }

    static Call get(String url) {
        return new Call(Map.of("url", url));
    }

    static Call post(String url, String body) {
        return get(url).method("POST").body(body);
    }

    Call method(String method) {
        return with("method", method);
    }

    Call header(String name, String value) {
        return with("header." + name, value);
    }

    Call body(String body) {
        return with("body", body);
    }

    Call way(Way way) {
        return with("way." + way, "");
    }

    Call timeoutMillis(int millis) {
        return with("timeout", Integer.toString(millis));
    }

    Call proxy(int port) {
        return with("proxy", Integer.toString(port));
    }

    private Call with(String field, String value) {
        Call call = new Call(form);
        call.form.put(field, value);
        return call;
    }

    @Override
    public String toString() {
        String text = form.toString();
        return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    }
}
