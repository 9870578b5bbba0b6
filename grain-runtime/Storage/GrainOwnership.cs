namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>What lets one activation write its grain's state: a row of the directory. Nobody else ever gets the same epoch.</summary>
/// <param name="Silo">Id of the silo that the activation is on.</param>
/// <param name="Epoch">Given out by the database with the ownership; a later owner's is higher.</param>
public readonly record struct GrainOwnership(string Silo, long Epoch);
