package io.weft.instrumentation.micronauthttpclient;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaysTest {

    @Test
    void aUrlOfTheAppsIsNoNameOfTheMeshs() {
        assertThat(Ways.isOurs("weft_mesh_1")).isFalse();
        assertThat(Ways.isOurs("orders")).isFalse();
    }
}
