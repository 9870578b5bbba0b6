using VoiceGrains.Media;

namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>Presses keys for the agent. Nobody can talk it out of them: the menu at the other end goes on speaking.</summary>
internal sealed class PlayDtmfSoundsTool : IBuiltInTool
{
    private const int MostDigits = 64;
    private static readonly TimeSpan ShortestTone = TimeSpan.FromMilliseconds(40);      // what a receiver needs (ITU-T Q.24)
    private static readonly TimeSpan LongestTone = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestSound = TimeSpan.FromSeconds(60);

    public void Check(BuiltInParameters parameters)
    {
        var length = Tone(parameters) + Space(parameters);
        if (parameters.Text("digits") is not { } digits) return;
        if (digits.Length is 0 or > MostDigits || !digits.All(digit => DtmfTones.IsDigit(char.ToUpperInvariant(digit)))) parameters.Refuse("digits", $"Expected 1 to {MostDigits} of 0-9, *, # and A-D.");
        else if (digits.Length * length > LongestSound) parameters.Refuse("digits", $"The tones would last longer than {LongestSound.TotalSeconds:0} seconds.");
    }

    public Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken)
    {
        if (parameters.Text("digits")?.ToUpperInvariant() is not { } digits) return Task.FromResult(ToolOutcome.Failed("There is nothing to play: set 'digits'."));
        call.PlayTones(digits, Tone(parameters), Space(parameters));
        // The other end answers next, not the agent.
        return Task.FromResult(new ToolOutcome($"Played {digits}.") { Reaction = ToolReaction.Listens });
    }

    private static TimeSpan Tone(BuiltInParameters parameters) => parameters.Duration("toneDuration", TimeSpan.FromSeconds(0.2), ShortestTone, LongestTone);

    private static TimeSpan Space(BuiltInParameters parameters) => parameters.Duration("spaceDuration", TimeSpan.FromSeconds(0.1), ShortestTone, LongestTone);
}
