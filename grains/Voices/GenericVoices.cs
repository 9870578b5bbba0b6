using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.Generic;

namespace VoiceGrains.Grains.Voices;

/// <summary>From the wire's generic voice to the one that a synthesizer is made of.</summary>
public static class GenericVoices
{
    public static GenericVoiceDefinition ToDefinition(this GenericVoice voice) => new()
    {
        Url = voice.Url ?? "",
        Headers = voice.Headers ?? new Dictionary<string, string>(),
        Body = voice.Body ?? [],
        ResponseSampleRate = voice.ResponseSampleRate ?? 0,
        ResponseWordsPerMinute = voice.ResponseWordsPerMinute ?? 150,
        ResponseMimeType = voice.ResponseMimeType,
        JsonAudioFieldPath = voice.JsonAudioFieldPath,
        JsonByteEncoding = voice.JsonByteEncoding == JsonByteEncoding.Hex ? AudioTextEncoding.Hex : AudioTextEncoding.Base64,
    };

    /// <summary>Tells what would keep the voice from speaking, an address that is not allowed among it.</summary>
    public static void Check(GenericVoice voice, OutboundGuard guard, InputErrors errors)
    {
        foreach (var (field, problem) in GenericVoiceRules.FindProblems(voice.ToDefinition(), guard)) errors.Field(field).Add(problem);
    }
}
