/*
 * openai_shapes.h - what requests of OpenAI's API may hold, as tables.
 *
 * Source: openai-openapi 2.3.0, CreateChatCompletionRequest and
 * CreateEmbeddingRequest; a test compares the members with that document.
 */
#ifndef LLM_OPENAI_SHAPES_H
#define LLM_OPENAI_SHAPES_H

#include "llm/shape.h"

extern const struct shape openai_shapes_chat;
extern const struct shape openai_shapes_embeddings;

#endif
