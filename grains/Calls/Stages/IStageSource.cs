using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Calls.Stages;

/// <summary>Makes and stores the stages that tools ask for. A conversation calls it beside its loop.</summary>
internal interface IStageSource
{
    /// <summary>Reads and checks a tool's answer and finds what the stage needs. Nothing is stored.</summary>
    /// <param name="accountId">Whose tools the stage may select.</param>
    /// <param name="current">What it inherits from.</param>
    /// <param name="body">The tool's answer; untrusted.</param>
    /// <param name="cancellationToken">Cancels look-ups.</param>
    /// <exception cref="InvalidInputException">With everything that is wrong.</exception>
    Task<NextStage> ResolveAsync(string accountId, StageSettings current, string body, CancellationToken cancellationToken);

    /// <summary>Stores a stage, its initial messages included, and tries again until cancelled. False when the call is over or went on in another conversation.</summary>
    Task<bool> StoreAsync(CallRun run, StageSettings stage, CancellationToken cancellationToken);
}
