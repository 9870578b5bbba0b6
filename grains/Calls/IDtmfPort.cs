namespace VoiceGrains.Grains.Calls;

/// <summary>What an <see cref="IMediaPort"/> implements too when it can send keypad digits beside the sound. Without it they are sent as tones.</summary>
public interface IDtmfPort
{
    /// <summary>Queues digits in order with the audio. Never blocks, never throws.</summary>
    /// <param name="digits">0-9, *, #, A-D.</param>
    /// <param name="tone">Length of each digit; a medium that cannot choose it takes its own.</param>
    /// <param name="space">Pause after each.</param>
    /// <returns>False: not in this call (nobody gave credentials, for example); tones are sent instead.</returns>
    bool TrySendDtmf(string digits, TimeSpan tone, TimeSpan space);
}
