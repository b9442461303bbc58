package io.weft.driver;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the library under test gave the app.
 *
 * @param headers names in lower case, several values joined by a comma and a space
 * @param seen whatever else the app can see of the exchange, such as {@code uri} and {@code version}
 */
public record HttpAnswer(int status, Map<String, String> headers, String body, Map<String, String> seen) {

    public Map<String, String> toForm() {
        Map<String, String> form = new LinkedHashMap<>();
        form.put("status", Integer.toString(status));
        headers.forEach((name, value) -> form.put("header." + name, value));
        seen.forEach((name, value) -> form.put("seen." + name, value));
        form.put("body", body);
        return form;
    }

    public static HttpAnswer of(Map<String, String> form) {
        return new HttpAnswer(
                Integer.parseInt(form.get("status")), Form.below("header.", form), form.get("body"), Form.below("seen.", form));
    }
}
