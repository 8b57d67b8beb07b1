import { PathExt } from '@jupyterlab/coreutils';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Message } from '@lumino/messaging';
import * as React from 'react';
import { panelIcon } from '../components/icons';
import { Panel } from '../components/panel';
import { CommandIDs, IProject, PANEL_ID } from '../tokens';

/** The left-hand panel. The project is active while the panel is visible. */
export class ProjectPanel extends ReactWidget {
  constructor(
    private readonly project: IProject,
    private readonly commands: CommandRegistry
  ) {
    super();
    this.id = PANEL_ID;
    this.addClass('mlops-Panel');
    this.title.icon = panelIcon;
    this.title.caption = 'MLOps';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'MLOps');
  }

  protected override render(): JSX.Element {
    const { project } = this;
    return (
      <UseSignal signal={project.changed}>
        {() => (
          <Panel
            view={project.view}
            live={project.live}
            notebook={PathExt.basename(project.notebook.path ?? '')}
            steps={project.steps}
            onRefresh={() => void this.commands.execute(CommandIDs.refresh)}
            onLoad={() => void this.commands.execute(CommandIDs.addLoadExt)}
            onMark={() => void this.commands.execute(CommandIDs.markStep)}
            onReveal={name => void this.commands.execute(CommandIDs.revealStep, { name })}
          />
        )}
      </UseSignal>
    );
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.project.active = this.isVisible;
  }

  protected override onBeforeDetach(message: Message): void {
    this.project.active = false;
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.project.active = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.project.active = false;
  }
}
