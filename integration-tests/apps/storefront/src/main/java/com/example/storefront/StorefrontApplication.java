package com.example.storefront;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class StorefrontApplication {
    public static void main(String[] args) {
        SpringApplication.run(StorefrontApplication.class, args);
    }
}
