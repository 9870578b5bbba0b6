-- How often the links to the agent's talk page were taken back: each link knows how often it was when it was made.
alter table agents add column talk_links_generation int not null default 0;
