package io.weft.controlplane.injector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdmissionReviewTest {

    private static final ArrayNode NOTHING = JsonNodeFactory.instance.arrayNode();

    private static String review() {
        return new String(Pods.review(), StandardCharsets.UTF_8);
    }

    private static AdmissionReview parse(String text) throws InvalidReviewException {
        return AdmissionReview.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aReviewAsAnApiServerSendsIt() throws InvalidReviewException {
        AdmissionReview review = parse(review());
        assertThat(review.uid()).isEqualTo("6e8c1a2f-9a3f-4a55-8c52-0f8a9b4be0b7");
        // The pod itself does not name it.
        assertThat(review.namespace()).isEqualTo("shop");
        assertThat(review.creates()).isTrue();
        assertThat(review.pod().at("/spec/containers/0/name").asText()).isEqualTo("app");
    }

    @Test
    void aDryRunIsLikeAnyOther() throws InvalidReviewException {
        assertThat(parse(review().replace("\"dryRun\": false", "\"dryRun\": true"))).isEqualTo(parse(review()));
    }

    @Test
    void aDeletionHasNoObject() throws InvalidReviewException {
        AdmissionReview review = parse("""
                {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "namespace": "shop", "operation": "DELETE",
                 "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": null}}
                """);
        assertThat(review.creates()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"apiVersion\": \"admission.k8s.io/v1\"  | \"apiVersion\": \"admission.k8s.io/v1beta1\" | apiVersion must be 'admission.k8s.io/v1', not 'admission.k8s.io/v1beta1'",
        "\"AdmissionReview\"                      | \"Pod\"                                      | kind must be 'AdmissionReview', not 'Pod'",
        "\"request\"                              | \"response\"                                 | request.uid must be a string that is not empty",
        "\"version\": \"v1\", \"kind\": \"Pod\"   | \"version\": \"v1\", \"kind\": \"Node\"      | request.kind.kind must be 'Pod', not 'Node'",
        "\"operation\": \"CREATE\"                | \"operation\": 7                             | request.operation must be a string that is not empty",
        "\"spec\"                                 | \"specification\"                            | request.object must be a Pod with metadata and spec",
        "\"namespace\": \"shop\"                  | \"namespace\": \"\"                          | request.namespace must be a string that is not empty",
    })
    void whatIsNotAReviewOfAPodIsRefusedByField(String there, String instead, String message) {
        assertThat(review()).contains(there);
        assertThatThrownBy(() -> parse(review().replace(there, instead))).isInstanceOf(InvalidReviewException.class).hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "''           | the body must be a JSON object, an AdmissionReview of admission.k8s.io/v1",
        "[]           | the body must be a JSON object, an AdmissionReview of admission.k8s.io/v1",
        "{\"a\": secret} | the body is not valid JSON: line 1, column 7",
        "{\"a\":         | the body is not valid JSON: line 1, column 6",
    })
    void whatIsNotJsonIsRefusedWithoutBeingQuoted(String body, String message) {
        assertThatThrownBy(() -> parse(body)).isInstanceOf(InvalidReviewException.class).hasMessage(message);
    }

    @Test
    void whatIsNestedTooDeeplyIsRefused() {
        assertThatThrownBy(() -> parse("{\"a\":".repeat(100_000))).isInstanceOf(InvalidReviewException.class).hasMessageContaining("not valid JSON");
    }

    @Test
    void withoutAChangeTheResponseHasNoPatch() throws InvalidReviewException {
        JsonNode response = Pods.json(parse(review()).response(NOTHING, List.of()));
        assertThat(response.toString()).isEqualTo("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                + "\"response\":{\"uid\":\"6e8c1a2f-9a3f-4a55-8c52-0f8a9b4be0b7\",\"allowed\":true}}");
    }

    @Test
    void warningsAreNotMoreThanTheApiServerTakes() throws InvalidReviewException {
        JsonNode response = Pods.json(parse(review()).response(NOTHING, Collections.nCopies(100, "x".repeat(100))));
        assertThat(response.at("/response/warnings").size()).isEqualTo(40);
    }
}
