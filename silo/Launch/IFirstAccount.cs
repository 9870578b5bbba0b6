namespace VoiceGrains.Silo.Launch;

/// <summary>Makes the account and API key of an empty installation. Implemented by whatever stores accounts; absent, the first start makes none.</summary>
public interface IFirstAccount
{
    /// <summary>Makes the first account with one API key. Null when there is an account already.</summary>
    Task<(string AccountId, string ApiKey)?> EnsureAsync(CancellationToken cancellationToken);
}
