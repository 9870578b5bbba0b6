using System.Text.Json.Nodes;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>
/// What the published documents say beyond the description, or what a value must be to mean anything. The keywords are JSON Schema's and:
/// <c>x-valid</c> and <c>x-invalid</c>, values in place of made up ones; <c>x-required</c>; <c>x-usual</c>, fields that are always set; <c>x-one-of</c>, fields that exclude each other, of which one must be set
/// with <c>x-one-required</c>; <c>x-either</c>, fields that must agree and so are tried by turns; <c>x-needs</c>, a field that another one needs;
/// <c>x-not-here</c>, fields that no accepted request sets; <c>x-unique</c>, a new text each time. <c>$names</c> are objects of the test's own account.
/// </summary>
internal static class DocumentedRules
{
    private const string Described = "its description", Provider = "the provider's own bounds, as its description gives them",
        Names = "it names an object that must exist", Positive = "a duration of the future", OneOf = "alternatives: protobuf's oneof", Address = "an address that can be connected to";

    /// <summary>Places, the rule, why.</summary>
    public static IReadOnlyList<(string Places, string Rule, string Why)> All { get; } =
    [
        ("StartCallRequest.temperature CallTemplate.temperature", """{"minimum":0,"maximum":1}""", Described),
        ("StartCallRequest.model CallTemplate.model", """{"x-valid":["$model"],"x-invalid":["no-such-model"]}""", Names),
        ("StartCallRequest.voice CallTemplate.voice StartAgentCallRequest.voice", """{"x-valid":["$voice","$builtInVoiceId","$voiceId"],"x-invalid":["No such voice"]}""", Names),
        ("StartCallRequest.languageHint CallTemplate.languageHint", """{"x-valid":["en","pt-BR"],"x-invalid":["not a language"]}""", "a BCP 47 code, by its description"),
        ("StartCallRequest.joinTimeout CallTemplate.joinTimeout StartAgentCallRequest.joinTimeout", """{"x-valid":["60s","0.5s","86400s"],"x-invalid":["-1s"]}""", Positive),
        ("StartCallRequest.maxDuration CallTemplate.maxDuration StartAgentCallRequest.maxDuration", """{"x-valid":["0.5s","86400s"],"x-invalid":["-1s"]}""", Positive),
        ("StartCallRequest CallTemplate", """{"x-one-of":["voice","externalVoice"],"x-needs":{"voiceOverrides":"voice"},"x-either":["firstSpeaker","firstSpeakerSettings"],"x-not-here":["voiceOverrides"]}""",
            "by their descriptions: `voice` or `externalVoice`; `voiceOverrides` only with a `voice` of the same provider; `firstSpeaker` must match `firstSpeakerSettings`"),
        ("StartAgentCallRequest", """{"x-needs":{"voiceOverrides":"voice"},"x-not-here":["voiceOverrides"]}""", "by its description: only with a `voice` of the same provider"),
        ("StartCallRequest.metadata StartAgentCallRequest.metadata", """{"x-valid":[{},{"key":"value","Grüße":""}],"x-invalid":[{"ultravox.mine":"x"}]}""", "keys that start with `ultravox.` are reserved"),
        ("CallTemplate.name", """{"maxLength":64}""", "it is the agent's name"),
        ("CallTemplate.contextSchema", """{"x-valid":[{},{"type":"object","properties":{"name":{"type":"string"}},"additionalProperties":true}],"x-invalid":[{"type":"nonsense"}]}""", "a JSON Schema, by its description"),
        ("Message", """{"x-required":["role"]}""", "a message is somebody's"),
        ("Message.role", """{"enum":["MESSAGE_ROLE_USER","MESSAGE_ROLE_AGENT","MESSAGE_ROLE_TOOL_CALL","MESSAGE_ROLE_TOOL_RESULT"]}""", "a message is somebody's"),
        ("TimedMessage", """{"x-required":["duration","message"]}""", "nothing else could be said, and when"),
        ("TimedMessage.duration", """{"x-valid":["0.5s","86400s"],"x-invalid":["-1s"]}""", Positive),
        ("FirstSpeakerSettings", """{"x-one-of":["user","agent"],"x-one-required":true}""", OneOf),
        ("FirstSpeakerSettings_AgentGreeting FallbackAgentGreeting", """{"x-one-of":["text","prompt"]}""", OneOf),
        ("FirstSpeakerSettings_AgentGreeting.delay FallbackAgentGreeting.delay", """{"x-valid":["0s","3600s"],"x-invalid":["-1s"]}""", Positive),
        ("VadSettings.turnEndpointDelay VadSettings.minimumTurnDuration VadSettings.minimumInterruptionDuration", """{"x-valid":["0s","10s"],"x-invalid":["-1s"]}""", Positive),
        ("VadSettings.frameActivationThreshold", """{"minimum":0.1,"maximum":1}""", Described),
        ("CallMedium", """{"x-one-of":["serverWebSocket","webRtc","twilio","telnyx","plivo","exotel","sip"],"x-not-here":["twilio","telnyx","plivo","exotel","sip"]}""",
            "alternatives: protobuf's oneof; media that this version does not serve are refused by name"),
        ("CallMedium_SipMedium", """{"x-one-of":["outgoing","incoming"],"x-one-required":true}""", OneOf),
        ("CallMedium_WebSocketMedium", """{"x-required":["inputSampleRate"]}""", Described),
        ("CallMedium_WebSocketMedium.inputSampleRate CallMedium_WebSocketMedium.outputSampleRate DataConnectionAudioConfig.sampleRate", """{"minimum":8000,"maximum":48000}""", "the rates of the codecs"),
        ("CallMedium_WebSocketMedium.clientBufferSizeMs", """{"minimum":0,"maximum":60000}""", "a minute of sound is kept for a client"),
        ("CallMedium_WebSocketMedium.mediaIdleTimeout", """{"x-valid":["0s","86400s"],"x-invalid":["-1s"]}""", Positive),
        ("DataConnectionConfig", """{"x-required":["websocketUrl"]}""", Address),
        ("DataConnectionConfig.websocketUrl", """{"x-valid":["$websocket"],"x-invalid":["nonsense","https://example.com"]}""", Address),
        ("DataConnectionConfig.headers", """{"x-valid":[{},{"X-Key":"value"}],"x-invalid":[{"not a header":"x"}]}""", "RFC 9110"),
        ("Callback", """{"x-required":["url"]}""", Address),
        ("Callback.url", """{"x-valid":["$sink"],"x-invalid":["nonsense"]}""", Address),
        ("Callback.secrets", """{"maxItems":10}""", "as for webhooks"),
        ("ExternalVoice", """{"x-one-of":["generic","elevenLabs","cartesia","lmnt","google","inworld","respeecher"],"x-one-required":true}""", OneOf),
        ("ElevenLabsVoice CartesiaVoice LmntVoice GoogleVoice InworldVoice RespeecherVoice", """{"x-usual":["voiceId"]}""", "there is nobody to speak otherwise"),
        ("GenericVoice", """{"x-required":["url","body"],"x-valid":[{"url":"$sink/voice","body":{"text":"{text}"},"responseSampleRate":16000},{"url":"$sink/voice","headers":{"X-Key":"value"},"body":{"text":"{text}"},"responseSampleRate":16000,"responseWordsPerMinute":180,"responseMimeType":"audio/wav"}]}""", "what is sent must hold the text, by its description"),
        ("ElevenLabsVoice.speed", """{"minimum":0.7,"maximum":1.2}""", Provider),
        ("ElevenLabsVoice.style ElevenLabsVoice.similarityBoost ElevenLabsVoice.stability", """{"minimum":0,"maximum":1}""", Provider),
        ("CartesiaVoice.speed", """{"minimum":-1,"maximum":1}""", Provider),
        ("CartesiaVoice_CartesiaGenerationConfig.volume", """{"minimum":0.5,"maximum":2}""", Provider),
        ("CartesiaVoice_CartesiaGenerationConfig.speed", """{"minimum":0.6,"maximum":1.5}""", Provider),
        ("LmntVoice.speed GoogleVoice.speakingRate", """{"minimum":0.25,"maximum":2}""", Provider),
        ("InworldVoice.speakingRate", """{"minimum":0.5,"maximum":1.5}""", Provider),
        ("InworldVoice.temperature RespeecherVoice.presencePenalty RespeecherVoice.frequencyPenalty", """{"minimum":0,"maximum":2}""", Provider),
        ("RespeecherVoice.temperature", """{"minimum":0}""", Provider),
        ("RespeecherVoice.topK", """{"x-valid":[-1,1,50],"x-invalid":[0,-2]}""", Provider),
        ("RespeecherVoice.topP", """{"x-valid":[0.1,1],"x-invalid":[0,1.1]}""", Provider),
        ("RespeecherVoice.minP", """{"minimum":0,"maximum":1}""", Provider),
        ("RespeecherVoice.repetitionPenalty", """{"minimum":1,"maximum":2}""", Provider),
        ("BaseToolDefinition", """{"x-required":["modelToolName"],"x-one-of":["http","client","dataConnection"],"x-one-required":true}""", OneOf),
        ("BaseToolDefinition.modelToolName", """{"x-valid":["look_up","a","A-1"],"x-invalid":["","not a name"]}""", "what language models take: `[a-zA-Z0-9_-]{1,64}`"),
        ("BaseToolDefinition.timeout", """{"x-valid":["0s","40s"],"x-invalid":["-1s","41s"]}""", "at most 40 s, by its description"),
        ("BaseToolDefinition.requirements", """{"x-valid":[{}]}""", "whoever selects the tool would have to fulfil them"),
        ("BaseHttpToolDetails", """{"x-required":["baseUrlPattern","httpMethod"]}""", "there is nothing to ask otherwise"),
        ("BaseHttpToolDetails.baseUrlPattern", """{"x-valid":["$sink/tool"],"x-invalid":["nonsense"]}""", Address),
        ("BaseHttpToolDetails.httpMethod", """{"enum":["GET","HEAD","POST","PUT","PATCH","DELETE","OPTIONS"]}""", "RFC 9110, RFC 5789"),
        ("DynamicParameter", """{"x-required":["name","location","schema"]}""", Described),
        ("StaticParameter", """{"x-required":["name","location"]}""", Described),
        ("AutomaticParameter", """{"x-required":["name","location","knownValue"]}""", Described),
        ("DynamicParameter.name", """{"x-valid":["dynamic"],"x-invalid":[""]}""", "no two parameters of a tool share a name"),
        ("StaticParameter.name", """{"x-valid":["static"],"x-invalid":[""]}""", "no two parameters of a tool share a name"),
        ("AutomaticParameter.name", """{"x-valid":["automatic"],"x-invalid":[""]}""", "no two parameters of a tool share a name"),
        ("DynamicParameter.location StaticParameter.location AutomaticParameter.location", """{"x-valid":["PARAMETER_LOCATION_BODY"],"x-invalid":["PARAMETER_LOCATION_UNSPECIFIED"]}""", "the only place that each kind of tool has"),
        ("AutomaticParameter.knownValue", """{"x-invalid":["KNOWN_PARAM_UNSPECIFIED"]}""", Described),
        ("DynamicParameter.schema", """{"x-valid":[{},{"type":"string","description":"What"}],"x-invalid":[{"type":"nonsense"}]}""", "a JSON Schema, by its description"),
        ("SecurityRequirement", """{"x-one-of":["queryApiKey","headerApiKey","httpAuth"],"x-one-required":true}""", OneOf),
        ("QueryApiKeyRequirement HeaderApiKeyRequirement", """{"x-required":["name"]}""", "there is nothing to set otherwise"),
        ("HttpAuthRequirement", """{"x-required":["scheme"]}""", "there is nothing to set otherwise"),
        ("StaticToolResponse", """{"x-required":["responseText"]}""", Described),
        ("SelectedTool", """
            {"x-one-of":["temporaryTool","toolId","toolName"],"x-one-required":true,"x-valid":[{"toolId":"$toolId"},{"toolName":"$toolName","nameOverride":"other","descriptionOverride":"Other"},
             {"temporaryTool":{"modelToolName":"guarded","dynamicParameters":[{"name":"tenant","location":"PARAMETER_LOCATION_HEADER","schema":{"type":"string"}}],"http":{"baseUrlPattern":"$sink/tool","httpMethod":"GET"},
               "requirements":{"requiredParameterOverrides":["tenant"],"httpSecurityOptions":{"options":[{"requirements":{"key":{"httpAuth":{"scheme":"Bearer"}}}}]}}},
              "parameterOverrides":{"tenant":"t1"},"authTokens":{"key":"secret"}}]}
            """, "alternatives: protobuf's oneof; names that exist; what the tool requires"),
        ("ToolOverrides", """{"x-one-of":["remove","removeAll"]}""", OneOf),
        ("ToolOverrides.remove", """{"x-valid":[[],["$modelToolName"]],"x-invalid":[["no_such_tool"]]}""", Names),
        ("Agent.name", """{"minLength":1}""", "Django's own rule: not blank"),
        ("Tool.name CallThrottle.name Voice.name", """{"minLength":1,"x-unique":true}""", "Django's own rule: not blank; unique in an account"),
        ("APIKeyCreate.name", """{"minLength":1}""", "Django's own rule: not blank"),
        ("APIKey.revoked", """{"x-valid":[true]}""", "it cannot be undone"),
        ("TwilioConfig TelnyxConfig PlivoConfig", """{"x-either":["callCreationAllowAllAgents","callCreationAllowedAgentIds"]}""", "agents may not be listed where all are allowed"),
        ("SetTtsApiKeysRequest.elevenLabs SetTtsApiKeysRequest.cartesia SetTtsApiKeysRequest.lmnt SetTtsApiKeysRequest.inworld SetTtsApiKeysRequest.respeecher", """{"x-valid":["sk_0123456789",null],"x-invalid":["not a key",""]}""", "keys are printable ASCII"),
        ("SetTtsApiKeysRequest.google", """{"x-valid":["{\"type\":\"service_account\",\"project_id\":\"p\",\"private_key\":\"k\",\"client_email\":\"me@example.com\"}",null],"x-invalid":["not JSON"]}""", "the JSON key of a service account"),
        ("Voice.primaryLanguage", """{"x-valid":[null,"en","pt-BR"],"x-invalid":["not a language"]}""", "a BCP 47 code"),
        ("/api/voice_preview", """
            {"required":["definition"],"x-valid":[{"name":"Anna","definition":{"generic":{"url":"$sink/voice","body":{"text":"{text}"},"responseSampleRate":16000}}},
             {"name":"Anna","description":"Text","primaryLanguage":"en","definition":{"generic":{"url":"$sink/voice","headers":{"X-Key":"value"},"body":{"text":"{text}"},"responseSampleRate":16000,"responseWordsPerMinute":180,"responseMimeType":"audio/wav"}}}]}
            """, "only a voice that can be reached speaks; a trial needs no name"),
        ("Webhook.url", """{"x-valid":["$sink"],"x-invalid":["nonsense"]}""", Address),
        ("Webhook.agentId", """{"x-valid":[null,"$agentId"],"x-invalid":["11111111-2222-3333-4444-555555555555"]}""", Names),
        ("SendCallDataMessage", """
            {"x-valid":[{"type":"user_text_message","text":"Hello"},{"type":"user_text_message","text":"Grüße 👋","urgency":"later"},{"type":"forced_agent_message","content":"One moment.","urgency":"soon"}],
             "x-invalid":[{"type":"user_text_message"},{"type":"user_text_message","text":1}]}
            """, "the messages of the data message protocol"),
        ("SendCallDataMessage.type", """{"enum":["user_text_message"]}""", "the messages of the data message protocol"),
        ("StartAgentCallRequest.agentId", """{"x-valid":["$agentId"]}""", "the URL names the agent"),
        ("?search ?throttle ?ownership ?sortOrder ?billingStyle ?primaryLanguage ?bucket ?minimum_severity ?mode ?type ?status ?cursor", """{"minLength":0}""", "an empty parameter is as good as none: forms send it"),
        ("?pageSize", """{"minimum":1}""", "there is no smaller page"),
        ("?agentIds", """{"x-valid":[["$agentId"],["$agentId","11111111-2222-3333-4444-555555555555"]]}""", Names),
        ("?agentId", """{"x-valid":["$agentId"]}""", Names),
        ("?voiceId", """{"x-valid":["$builtInVoiceId"]}""", Names),
        ("?priorCallId", """{"x-valid":["$endedCallId"],"x-invalid":["11111111-2222-3333-4444-555555555555"]}""", Names),
        ("?throttle", """{"x-valid":["$throttle","$throttleId"],"x-invalid":["No such throttle"]}""", Names),
        ("?metadata", """{"x-valid":[{"key":"value"}]}""", "written as `metadata.key=value`"),
        ("?durationMin", """{"x-valid":["0s","1.5s"],"x-invalid":["soon"]}""", "a duration"),
        ("?durationMax", """{"x-valid":["3600s","90s"],"x-invalid":["soon"]}""", "a duration"),
        ("?fromDate", """{"x-valid":["2026-01-31","2026-01-31T12:00:00Z"]}""", "a day alone is its first moment"),
        ("?toDate", """{"x-valid":["2026-02-01","2026-02-01T12:00:00+02:00"]}""", "a day alone is its last moment"),
        ("?start", """{"x-valid":["2026-01-31T12:00:00Z"]}""", "before the end"),
        ("?end", """{"x-valid":["2026-01-31T18:00:00Z"]}""", "after the start"),
        ("/api/accounts/me/billing/usage?fromDate", """{"x-valid":["2026-01-31"]}""", "a date"),
        ("/api/accounts/me/billing/usage?toDate", """{"x-valid":["2026-03-01"]}""", "at most 90 days later"),
        ("/api/agents?sort", """{"x-valid":["created","-created","name","-name"],"x-invalid":["nonsense"]}""", "names of fields"),
        ("/api/calls?sort", """{"x-valid":["created","-created","joined","-joined","ended","-ended","duration","-duration"],"x-invalid":["nonsense"]}""", "names of fields"),
        ("?lang", """{"enum":null,"x-valid":["en","de","zh-hans"]}""", "the description is in English whatever the language"),
    ];

    private static readonly ILookup<string, JsonObject> ByPlace =
        (from row in All from place in row.Places.Split(' ') select (place, row.Rule)).ToLookup(row => row.place, row => JsonNode.Parse(row.Rule)!.AsObject());

    /// <summary>All rules of a place as one.</summary>
    public static JsonObject Of(string place) => new(ByPlace[place].SelectMany(rule => rule).Select(keyword => KeyValuePair.Create(keyword.Key, keyword.Value?.DeepClone())));
}
