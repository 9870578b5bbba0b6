namespace VoiceGrains.Server.Tests.Schema;

/// <summary>Where the served description differs from the published one, and why it may.</summary>
internal static class KnownDifferences
{
    /// <summary>Patterns over differences; each must still be met.</summary>
    public static IReadOnlyList<(string Pattern, string Why)> All { get; } =
    [
        (@" body\S* required has also ", "The published description takes these from protobuf, which requires nothing; its own texts and the service do."),
        (@"callTemplate fields lacks created, updated$", "Read-only, which the published description says of an agent's own times only."),
        (@"dataMessages fields has also (side|thread)", "Messages of threads are documented with the data messages."),
        (@"/api/api_keys\S* security has also apiKeyAuth$", "The hosted service manages keys from its console's session; here there is none."),
        (@"tts_api_keys 200 fields lacks ", "Answered as an object by provider, of the keys that are set."),
        (@"\.(firstSpeaker|initialOutputMedium) enum has also \w+_UNSPECIFIED$", "One enumeration for requests, which may say it, and answers, which do not."),
        (@"\[\]\.definition(\.http)? fields ", "The tool of a call is shown as it was defined. What authenticates it is left out."),
        (@"^GET /api/calls/{}/messages/{}/audio is not published$", "The counterpart for the last stage of what is published for each stage."),
        (@"/audio 200 types has also audio/wav$", "The published description leaves the type open."),
        (@" responses lacks 302(, 400)?$", "Sound is answered, not a link to it."),
        (@"^GET /api/schema \?lang enum lacks ", "Any language may be asked for; the words are English in all of them."),
        (@"^POST /api/tools/{}/test ", "The published description leaves the body and the answer open."),
        (@"^POST /api/voice_preview body required lacks name$", "A voice can be heard before it has a name."),
        (@"sipDetails (fields|required) lacks ", "No call is a SIP call yet: it is always null."),
    ];
}
