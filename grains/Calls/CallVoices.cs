using Microsoft.Extensions.Logging;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Grains.Calls;

/// <summary>Finds the synthesizer for a stage's voice, and what to fall back on.</summary>
internal sealed partial class CallVoices(AccountVoices voices, TimeProvider clock, ILogger<CallVoices> logger)
{
    /// <summary>A call that is about to begin does not wait longer for the database; it begins with another voice instead.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const string AnotherSpeaks = "Another voice speaks instead.";

    /// <summary>
    /// Creation checks the voice, so one that cannot speak has gone since: it was deleted, its provider's key was removed, or the configuration has changed.
    /// The call then has one of the server's voices, of its language where there is one, and says why.
    /// </summary>
    /// <exception cref="VoiceUnavailableException">The server has no voice at all.</exception>
    public async Task<CallVoice> ResolveAsync(string accountId, StageSettings stage, CancellationToken cancellationToken)
    {
        var others = voices.Fallbacks(stage.LanguageHint).Select(speaker => AsAgent(speaker, stage)!).ToList();
        try
        {
            using var patience = new CancellationTokenSource(Patience, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            var choice = new VoiceChoice(stage.Voice, stage.ExternalVoice, stage.VoiceOverrides);
            var own = AsAgent(await voices.OpenAsync(accountId, choice, either.Token).WaitAsync(either.Token), stage)!;
            return new CallVoice(own, others.Find(other => other != own), Problem: null);
        }
        catch (VoiceUnavailableException gone) when (others.Count > 0)
        {
            return new CallVoice(others[0], others.ElementAtOrDefault(1), $"{gone.Message} {AnotherSpeaks}");
        }
        catch (Exception failure) when (failure is not VoiceUnavailableException && others.Count > 0 && !cancellationToken.IsCancellationRequested)
        {
            LogNotFound(failure);
            var known = AsAgent(string.IsNullOrEmpty(stage.Voice) || stage.ExternalVoice is not null ? null : voices.OpenBuiltIn(stage.Voice), stage);
            return known is null || known == others[0]
                ? new CallVoice(others[0], others.ElementAtOrDefault(1), $"The voice could not be looked up. {AnotherSpeaks}")
                : new CallVoice(known, others.Find(other => other != known), "The voice could not be looked up. The server's voice of this name speaks.");
        }
    }

    private static AgentVoice? AsAgent(Speaker? speaker, StageSettings stage)
        => speaker is null ? null : new AgentVoice(speaker.Synthesizer, speaker.ProviderVoice, stage.LanguageHint);

    [LoggerMessage(1061, LogLevel.Warning, "A call's voice could not be looked up; it speaks with another")]
    private partial void LogNotFound(Exception exception);
}

/// <param name="Voice">Speaks.</param>
/// <param name="Fallback">Speaks where it fails; null when there is no other.</param>
/// <param name="Problem">Why it is not the voice that the stage asks for, and which one it is; null when it is.</param>
internal sealed record CallVoice(AgentVoice Voice, AgentVoice? Fallback, string? Problem);
